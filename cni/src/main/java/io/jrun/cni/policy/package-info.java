/// Network policies in Kubernetes' shape: what is selected, what is allowed, and the nftables sets
/// and rules that this becomes.
@NullMarked
package io.jrun.cni.policy;

import org.jspecify.annotations.NullMarked;
