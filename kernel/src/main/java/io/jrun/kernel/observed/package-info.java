/// Kernels around other kernels, which show every call to an observer before it is performed, and
/// let it fail there; depends on the kernel's interfaces only.
@NullMarked
package io.jrun.kernel.observed;

import org.jspecify.annotations.NullMarked;
