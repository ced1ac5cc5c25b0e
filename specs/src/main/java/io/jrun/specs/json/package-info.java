/// JSON as a tree, with a cursor that knows its JSON pointer; it depends on jackson-core's
/// streaming parser only.
@NullMarked
package io.jrun.specs.json;

import org.jspecify.annotations.NullMarked;
