/// Networks across nodes: which node has which subnet, and the routes and tunnels to the others.
@NullMarked
package io.jrun.cni.node;

import org.jspecify.annotations.NullMarked;
