/// etcd as a store: a few operations on keys, through jetcd, which is loaded when first asked.
@NullMarked
package io.jrun.cni.etcd;

import org.jspecify.annotations.NullMarked;
