/// A container's cgroups, as runc's cgroupfs driver makes them, on v1, hybrid and v2 machines; it
/// depends on `io.jrun.kernel` and the records of `io.jrun.specs.runtime`.
@NullMarked
package io.jrun.runtime.cgroup;

import org.jspecify.annotations.NullMarked;
