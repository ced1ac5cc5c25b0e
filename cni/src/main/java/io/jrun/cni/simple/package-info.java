/// The plugin SimpleCNI: a bridge with addresses, routes and masquerading for containers.
@NullMarked
package io.jrun.cni.simple;

import org.jspecify.annotations.NullMarked;
