/// The documents of the CNI specification, 0.1.0 to 1.1.0, as immutable records; it depends on
/// `io.jrun.specs.json` only.
@NullMarked
package io.jrun.specs.cni;

import org.jspecify.annotations.NullMarked;
