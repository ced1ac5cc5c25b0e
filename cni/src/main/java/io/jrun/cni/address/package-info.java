/// IP addresses and prefixes as numbers.
@NullMarked
package io.jrun.cni.address;

import org.jspecify.annotations.NullMarked;
