/// containerd's shim: pods whose keepers relay the task service's requests to the engine. What must
/// outlive the engine is with the keeper or in the pod's journal.
@NullMarked
package io.jrun.runtime.shim;

import org.jspecify.annotations.NullMarked;
