/// From a spec's mounts, devices and paths to the calls that build a container's file system view.
@NullMarked
package io.jrun.runtime.mount;

import org.jspecify.annotations.NullMarked;
