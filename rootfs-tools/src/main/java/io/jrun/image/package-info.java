/// Images: what jrun image, rootfs and bundle do with them; depends on rootfs and the specs.
@NullMarked
package io.jrun.image;

import org.jspecify.annotations.NullMarked;
