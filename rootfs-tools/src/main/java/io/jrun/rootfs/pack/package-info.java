/// Directories to archives: reproducible ones of a tree, and layers of what changed.
@NullMarked
package io.jrun.rootfs.pack;

import org.jspecify.annotations.NullMarked;
