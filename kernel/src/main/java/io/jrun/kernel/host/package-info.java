/// The kernel as this process reaches it: JNR-FFI lives here and nowhere else.
@NullMarked
package io.jrun.kernel.host;

import org.jspecify.annotations.NullMarked;
