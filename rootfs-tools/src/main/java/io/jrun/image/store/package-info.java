/// The store of images: blobs by digest, references, locks, collection of what nothing refers to.
@NullMarked
package io.jrun.image.store;

import org.jspecify.annotations.NullMarked;
