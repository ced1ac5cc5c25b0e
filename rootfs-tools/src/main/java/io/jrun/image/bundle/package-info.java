/// Bundles from images: the conversion of image-spec's conversion.md; depends on the specs only.
@NullMarked
package io.jrun.image.bundle;

import org.jspecify.annotations.NullMarked;
