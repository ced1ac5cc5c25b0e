/// The CNI runtime: network configurations, chains of plugins and the cache of their results.
@NullMarked
package io.jrun.cni.network;

import org.jspecify.annotations.NullMarked;
