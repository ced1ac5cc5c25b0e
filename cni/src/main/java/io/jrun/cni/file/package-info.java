/// Files that several processes share, with contents replaced as one.
@NullMarked
package io.jrun.cni.file;

import org.jspecify.annotations.NullMarked;
