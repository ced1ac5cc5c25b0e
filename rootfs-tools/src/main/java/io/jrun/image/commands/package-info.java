/// What jrun image, rootfs, bundle and run --image do, for one caller.
@NullMarked
package io.jrun.image.commands;

import org.jspecify.annotations.NullMarked;
