/// CNI: how its failures are told.
@NullMarked
package io.jrun.cni;

import org.jspecify.annotations.NullMarked;
