/// OCI image-spec 1.1 and the manifest of `docker save` as immutable records; depends on json.
@NullMarked
package io.jrun.specs.image;

import org.jspecify.annotations.NullMarked;
