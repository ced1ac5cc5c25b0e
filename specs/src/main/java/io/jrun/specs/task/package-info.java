/// The messages of containerd's task services (`containerd.task.v2` and `v3`) and events, by the
/// numbers of their fields; it depends on protobuf messages only.
@NullMarked
package io.jrun.specs.task;

import org.jspecify.annotations.NullMarked;
