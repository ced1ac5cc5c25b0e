/// A checker of JSON schemas for tests; it depends on `io.jrun.specs.json` only.
@NullMarked
package io.jrun.specs.schema;

import org.jspecify.annotations.NullMarked;
