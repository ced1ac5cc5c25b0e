/// Seccomp profiles: compiles a runtime-spec section to classic BPF with libseccomp; it loads
/// nothing into any kernel.
@NullMarked
package io.jrun.runtime.seccomp;

import org.jspecify.annotations.NullMarked;
