/// A container's cgroups on v1, hybrid and v2 machines, made as runc's drivers do, by files alone
/// or as a scope of systemd; it depends on `io.jrun.kernel`, the records of
/// `io.jrun.specs.runtime`, `io.jrun.runtime.systemd` and the mountinfo of `io.jrun.runtime.mount`.
@NullMarked
package io.jrun.runtime.cgroup;

import org.jspecify.annotations.NullMarked;
