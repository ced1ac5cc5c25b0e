/// The tar format: ustar, GNU and PAX, as entries; knows no files.
@NullMarked
package io.jrun.rootfs.tar;

import org.jspecify.annotations.NullMarked;
