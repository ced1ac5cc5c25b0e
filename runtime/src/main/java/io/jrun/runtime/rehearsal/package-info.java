/// Kernels that note what they are asked and pretend that it was done; they only look, at what is
/// there already. Depends on `io.jrun.kernel` and `io.jrun.cni`.
@NullMarked
package io.jrun.runtime.rehearsal;

import org.jspecify.annotations.NullMarked;
