/// Files that several processes share: locks that a crash releases, and contents replaced as one.
@NullMarked
package io.jrun.cni.file;

import org.jspecify.annotations.NullMarked;
