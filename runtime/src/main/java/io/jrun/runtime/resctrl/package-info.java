/// Intel RDT: groups of the resctrl file system (the kernel's
/// Documentation/filesystems/resctrl.rst). Knows the kernel and the documents, no containers.
@NullMarked
package io.jrun.runtime.resctrl;

import org.jspecify.annotations.NullMarked;
