/// From a spec's process to the calls that give the container's program its identity and start it.
@NullMarked
package io.jrun.runtime.process;

import org.jspecify.annotations.NullMarked;
