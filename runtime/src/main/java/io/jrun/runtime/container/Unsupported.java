package io.jrun.runtime.container;

import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import java.util.ArrayList;
import java.util.List;

/// What a valid config may ask for and jrun does not do yet: refused by name, never ignored.
final class Unsupported {
  private Unsupported() {}

  static void check(Config config) {
    List<String> found = new ArrayList<>();
    if (config.linux().namespace(NamespaceType.MOUNT) == null)
      found.add("/linux/namespaces: without a mount namespace");
    if (config.linux().intelRdt() != null) found.add("/linux/intelRdt");
    if (config.linux().memoryPolicy() != null) found.add("/linux/memoryPolicy");
    if (config.linux().personality() != null) found.add("/linux/personality");
    if (!config.linux().netDevices().isEmpty()) found.add("/linux/netDevices");
    if (config.linux().mountLabel() != null && !config.linux().mountLabel().isEmpty())
      found.add("/linux/mountLabel");
    if (config.process() != null) check(config.process(), found);
    if (!found.isEmpty())
      throw new ContainerException("not implemented yet: " + String.join("; ", found));
  }

  static void check(Process process) {
    List<String> found = new ArrayList<>();
    check(process, found);
    if (!found.isEmpty())
      throw new ContainerException("not implemented yet: " + String.join("; ", found));
  }

  private static void check(Process process, List<String> found) {
    if (process.apparmorProfile() != null && !process.apparmorProfile().isEmpty())
      found.add("/process/apparmorProfile");
    if (process.selinuxLabel() != null && !process.selinuxLabel().isEmpty())
      found.add("/process/selinuxLabel");
    if (process.scheduler() != null) found.add("/process/scheduler");
    if (process.ioPriority() != null) found.add("/process/ioPriority");
    if (process.execCpuAffinity() != null) found.add("/process/execCPUAffinity");
  }
}
