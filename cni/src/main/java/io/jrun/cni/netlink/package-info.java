/// rtnetlink(7): messages, their attributes, and sockets that speak them.
@NullMarked
package io.jrun.cni.netlink;

import org.jspecify.annotations.NullMarked;
