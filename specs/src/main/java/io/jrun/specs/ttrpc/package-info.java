/// ttrpc, containerd's protocol of requests and responses over a stream socket; it depends on
/// protobuf messages only.
@NullMarked
package io.jrun.specs.ttrpc;

import org.jspecify.annotations.NullMarked;
