package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The container's first process, and the document that `exec --process` reads.
@SuppressWarnings("AvoidCommonTypeNames") // the specification's own word
public record Process(
    boolean terminal,
    @Nullable ConsoleSize consoleSize,
    User user,
    List<String> args,
    List<String> env,
    String cwd,
    @Nullable Capabilities capabilities,
    List<Rlimit> rlimits,
    boolean noNewPrivileges,
    @Nullable Integer oomScoreAdj,
    @Nullable String apparmorProfile,
    @Nullable String selinuxLabel,
    @Nullable Scheduler scheduler,
    @Nullable IoPriority ioPriority,
    @Nullable ExecCpuAffinity execCpuAffinity,
    Json.JsonObject unknown) {
  static final String DOCUMENT = "process.json";

  /// Reads the document's structure; [ConfigValidator#problems(Process)] knows its meaning.
  public static Process read(byte[] json) {
    return JsonReader.read(DOCUMENT, json, Process::read);
  }

  public Process {
    args = List.copyOf(args);
    env = List.copyOf(env);
    rlimits = List.copyOf(rlimits);
  }

  static Process read(JsonReader r) {
    return new Process(
        r.bool("terminal"),
        r.object("consoleSize", ConsoleSize::read),
        r.object("user", User::read, User.ROOT),
        r.strings("args"),
        r.strings("env"),
        r.string("cwd"),
        r.object("capabilities", Capabilities::read),
        r.objects("rlimits", Rlimit::read),
        r.bool("noNewPrivileges"),
        r.optionalInt32("oomScoreAdj"),
        r.optionalString("apparmorProfile"),
        r.optionalString("selinuxLabel"),
        r.object("scheduler", Scheduler::read),
        r.object("ioPriority", IoPriority::read),
        r.object("execCPUAffinity", ExecCpuAffinity::read),
        r.unknown());
  }

  public Process withTerminal(boolean terminal) {
    return with(draft -> draft.terminal = terminal);
  }

  public Process withUser(User user) {
    return with(draft -> draft.user = user);
  }

  public Process withArgs(List<String> args) {
    return with(draft -> draft.args = args);
  }

  public Process withEnv(List<String> env) {
    return with(draft -> draft.env = env);
  }

  public Process withCwd(String cwd) {
    return with(draft -> draft.cwd = cwd);
  }

  public Process withCapabilities(@Nullable Capabilities capabilities) {
    return with(draft -> draft.capabilities = capabilities);
  }

  public Process withNoNewPrivileges(boolean noNewPrivileges) {
    return with(draft -> draft.noNewPrivileges = noNewPrivileges);
  }

  public Process withOomScoreAdj(@Nullable Integer oomScoreAdj) {
    return with(draft -> draft.oomScoreAdj = oomScoreAdj);
  }

  public Process withApparmorProfile(@Nullable String apparmorProfile) {
    return with(draft -> draft.apparmorProfile = apparmorProfile);
  }

  public Process withSelinuxLabel(@Nullable String selinuxLabel) {
    return with(draft -> draft.selinuxLabel = selinuxLabel);
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .bool("terminal", terminal)
        .member("consoleSize", consoleSize == null ? null : consoleSize.toJson())
        .member("user", user.equals(User.ROOT) ? null : user.toJson())
        .strings("args", args)
        .strings("env", env)
        .string("cwd", cwd)
        .member("capabilities", capabilities == null ? null : capabilities.toJson())
        .objects("rlimits", rlimits, Rlimit::toJson)
        .bool("noNewPrivileges", noNewPrivileges)
        .optionalNumber("oomScoreAdj", oomScoreAdj)
        .string("apparmorProfile", apparmorProfile)
        .string("selinuxLabel", selinuxLabel)
        .member("scheduler", scheduler == null ? null : scheduler.toJson())
        .member("ioPriority", ioPriority == null ? null : ioPriority.toJson())
        .member("execCPUAffinity", execCpuAffinity == null ? null : execCpuAffinity.toJson())
        .object();
  }

  private Process with(Consumer<Draft> change) {
    Draft draft = new Draft();
    change.accept(draft);
    return draft.finish();
  }

  /// What can be changed in a copy of this.
  private final class Draft {
    boolean terminal = Process.this.terminal;
    User user = Process.this.user;
    List<String> args = Process.this.args;
    List<String> env = Process.this.env;
    String cwd = Process.this.cwd;
    @Nullable Capabilities capabilities = Process.this.capabilities;
    boolean noNewPrivileges = Process.this.noNewPrivileges;
    @Nullable Integer oomScoreAdj = Process.this.oomScoreAdj;
    @Nullable String apparmorProfile = Process.this.apparmorProfile;
    @Nullable String selinuxLabel = Process.this.selinuxLabel;

    Process finish() {
      return new Process(
          terminal,
          consoleSize,
          user,
          args,
          env,
          cwd,
          capabilities,
          rlimits,
          noNewPrivileges,
          oomScoreAdj,
          apparmorProfile,
          selinuxLabel,
          scheduler,
          ioPriority,
          execCpuAffinity,
          unknown);
    }
  }
}
