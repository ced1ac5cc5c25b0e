/// SimpleCNI's own addresses: ranges, and who holds a lease of which address.
@NullMarked
package io.jrun.cni.ipam;

import org.jspecify.annotations.NullMarked;
