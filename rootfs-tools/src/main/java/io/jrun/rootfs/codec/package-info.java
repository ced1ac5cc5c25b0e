/// Compression formats and digests, by native libraries where the machine has them.
@NullMarked
package io.jrun.rootfs.codec;

import org.jspecify.annotations.NullMarked;
