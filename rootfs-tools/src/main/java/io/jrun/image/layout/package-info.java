/// Images as archives of OCI layouts; depends on rootfs and the specs.
@NullMarked
package io.jrun.image.layout;

import org.jspecify.annotations.NullMarked;
