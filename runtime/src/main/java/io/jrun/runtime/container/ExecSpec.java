package io.jrun.runtime.container;

import io.jrun.kernel.Kernel;
import io.jrun.runtime.cli.ExecOptions;
import io.jrun.runtime.process.SecurityLabels;
import io.jrun.specs.runtime.Capabilities;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.ConfigValidator;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.User;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The process that `exec` is to run: of a file, or the container's own with the options applied.
final class ExecSpec {
  /// The id above it is what system calls take for "leave it alone".
  private static final long MOST_ID = 0xffff_fffeL;

  private ExecSpec() {}

  static Process of(ExecOptions options, Config config, ClientProcess client, Kernel kernel) {
    Process process =
        options.processFile() == null
            ? changed(java.util.Objects.requireNonNull(config.process()), options)
            : Process.read(client.read(options.processFile()));
    SecurityLabels.check(kernel, process, null);
    ConfigValidator.check(process);
    client.warn(ConfigValidator.warnings(process));
    return process;
  }

  private static Process changed(Process container, ExecOptions options) {
    Process p = container.withArgs(options.args()).withTerminal(options.tty());
    if (options.cwd() != null) p = p.withCwd(options.cwd());
    if (options.apparmor() != null) p = p.withApparmorProfile(options.apparmor());
    if (options.processLabel() != null) p = p.withSelinuxLabel(options.processLabel());
    if (options.noNewPrivs()) p = p.withNoNewPrivileges(true);
    p = p.withEnv(joined(p.env(), options.env(), false));
    if (options.user() != null) p = p.withUser(user(options.user(), p.user()));
    if (!options.additionalGids().isEmpty()) {
      List<Long> gids = new ArrayList<>(p.user().additionalGids());
      gids.addAll(options.additionalGids());
      p = p.withUser(p.user().withAdditionalGids(gids));
    }
    if (options.capabilities().isEmpty()) return p;
    Capabilities c = p.capabilities() == null ? Capabilities.NONE : p.capabilities();
    return p.withCapabilities(
        new Capabilities(
            joined(c.bounding(), options.capabilities(), true),
            joined(c.effective(), options.capabilities(), true),
            c.inheritable(), // never the added ones (CVE-2022-29162)
            joined(c.permitted(), options.capabilities(), true),
            // ambient ones must be inheritable: added where the config deals with these
            c.inheritable().isEmpty()
                ? c.ambient()
                : joined(c.ambient(), options.capabilities(), true),
            c.unknown()));
  }

  private static List<String> joined(List<String> a, List<String> b, boolean distinct) {
    List<String> all = new ArrayList<>(a);
    all.addAll(b);
    return distinct ? all.stream().distinct().toList() : all;
  }

  /// uid[:gid], decimal numbers and nothing else (CVE-2026-30892).
  private static User user(String text, User before) {
    String[] ids = text.split(":");
    if (!text.matches("[0-9]{1,10}(:[0-9]{1,10})?")
        || Stream.of(ids).anyMatch(id -> Long.parseLong(id) > MOST_ID))
      throw new ContainerException("invalid user \"" + text + "\": want uid[:gid]");
    return before
        .withUid(Long.parseLong(ids[0]))
        .withGid(ids.length > 1 ? Long.parseLong(ids[1]) : before.gid());
  }
}
