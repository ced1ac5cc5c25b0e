/// The kernel as this process reaches it, and the shared libraries of the machine, by way of JNR.
@NullMarked
package io.jrun.kernel.host;

import org.jspecify.annotations.NullMarked;
