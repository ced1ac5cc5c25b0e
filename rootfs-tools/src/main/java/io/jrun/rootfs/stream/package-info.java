/// Bytes on their way from a descriptor to whoever unpacks them, in memory that a writer shares.
@NullMarked
package io.jrun.rootfs.stream;

import org.jspecify.annotations.NullMarked;
