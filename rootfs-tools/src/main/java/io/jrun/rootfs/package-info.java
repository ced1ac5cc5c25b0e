/// Root file systems from archives and back; depends on the kernel and the specs.
@NullMarked
package io.jrun.rootfs;

import org.jspecify.annotations.NullMarked;
