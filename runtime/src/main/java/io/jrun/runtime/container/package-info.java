/// The lifecycle: containers on disk, and the operations on them.
@NullMarked
package io.jrun.runtime.container;

import org.jspecify.annotations.NullMarked;
