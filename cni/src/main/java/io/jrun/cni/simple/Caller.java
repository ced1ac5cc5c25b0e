package io.jrun.cni.simple;

import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.plugin.PluginExecutor;
import java.util.Map;

/// Who called the plugin: the process that can enter network namespaces and run other plugins.
public interface Caller {
  /// A socket in the caller's own namespace, the host's; the caller closes it.
  NetlinkSocket host();

  /// Makes sure that [#host] is in the caller's own namespace, where that is not known.
  ///
  /// @throws io.jrun.cni.CniException when it is in another one
  void checkHost();

  /// Enters a namespace, for as long as it takes to make a socket there.
  ///
  /// @throws io.jrun.cni.CniException when there is none at that path
  NetworkNamespace enter(String netns);

  /// Writes values under /proc/sys, as the namespace has them.
  ///
  /// @param values by path, such as `net/ipv4/conf/eth0/arp_notify`
  void sysctls(String netns, Map<String, String> values);

  /// Runs the plugins that this one delegates to.
  PluginExecutor delegates();
}
