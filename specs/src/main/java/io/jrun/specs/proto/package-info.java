/// Protocol buffers: the fields of a message by number, without generated code; the only user of
/// protobuf-java.
@NullMarked
package io.jrun.specs.proto;

import org.jspecify.annotations.NullMarked;
