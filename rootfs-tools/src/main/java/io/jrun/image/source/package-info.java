/// Where images come from: OCI layouts and what docker save writes, as directories and archives.
@NullMarked
package io.jrun.image.source;

import org.jspecify.annotations.NullMarked;
