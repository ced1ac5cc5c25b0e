/// The kernel as an object: what performs syscalls, and how they fail; depends on {@code call}
/// only.
@NullMarked
package io.jrun.kernel;

import org.jspecify.annotations.NullMarked;
