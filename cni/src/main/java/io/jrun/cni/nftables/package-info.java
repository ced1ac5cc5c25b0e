/// nftables through libnftables, in its JSON: SimpleCNI's one table.
@NullMarked
package io.jrun.cni.nftables;

import org.jspecify.annotations.NullMarked;
