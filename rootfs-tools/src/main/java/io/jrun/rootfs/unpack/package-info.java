/// Archives to directories, by a writer process that stays beneath the directory.
@NullMarked
package io.jrun.rootfs.unpack;

import org.jspecify.annotations.NullMarked;
