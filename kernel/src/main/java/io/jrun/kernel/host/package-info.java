/// The kernel as this process reaches it, by way of JNR.
@NullMarked
package io.jrun.kernel.host;

import org.jspecify.annotations.NullMarked;
