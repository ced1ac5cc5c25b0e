/// The documents of the OCI runtime-spec 1.3.0 as immutable records; it depends on
/// `io.jrun.specs.json` only.
@NullMarked
package io.jrun.specs.runtime;

import org.jspecify.annotations.NullMarked;
