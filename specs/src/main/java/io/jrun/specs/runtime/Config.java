package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import io.jrun.specs.json.Problem;
import io.jrun.specs.json.SpecException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A container's `config.json`: OCI runtime-spec 1.3.0, config.md.
///
/// Absent collections are empty, absent strings null and never empty. `unknown`, here and in every
/// other record, is what the other components cannot say: unknown members, and members given
/// explicitly with the value that absence has. Sections for other platforms than Linux stay there.
public record Config(
    String ociVersion,
    @Nullable Process process,
    @Nullable Root root,
    @Nullable String hostname,
    @Nullable String domainname,
    List<Mount> mounts,
    Hooks hooks,
    Linux linux,
    Map<String, String> annotations,
    Json.JsonObject unknown) {
  /// The version of the specification that jrun writes.
  public static final String OCI_VERSION = "1.3.0";

  static final String DOCUMENT = "config.json";

  /// Reads the document's structure (kinds, ranges, required members); [ConfigValidator] knows its
  /// meaning.
  public static Config read(byte[] json) {
    return JsonReader.read(DOCUMENT, json, Config::read);
  }

  /// As [#read], of a tree.
  public static Config read(Json.JsonObject json) {
    return JsonReader.read(DOCUMENT, json, Config::read);
  }

  /// Reads and validates, and throws all problems of both kinds at once.
  public static Config readValid(byte[] json) {
    List<Problem> problems = new ArrayList<>();
    Config config = JsonReader.read(DOCUMENT, json, Config::read, problems);
    List<String> refused = problems.stream().map(Problem::pointer).toList();
    // A member that could not be read looks absent or zero to the validator.
    ConfigValidator.problems(config).stream()
        .filter(problem -> !refused.contains(problem.pointer()))
        .forEach(problems::add);
    if (!problems.isEmpty()) {
      throw new SpecException(DOCUMENT, problems);
    }
    return config;
  }

  public Config {
    mounts = List.copyOf(mounts);
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
  }

  static Config read(JsonReader r) {
    return new Config(
        r.string("ociVersion"),
        r.object("process", Process::read),
        r.object("root", Root::read),
        r.optionalString("hostname"),
        r.optionalString("domainname"),
        r.objects("mounts", Mount::read),
        r.object("hooks", Hooks::read, Hooks.NONE),
        r.object("linux", Linux::read, Linux.NONE),
        r.stringMap("annotations"),
        r.unknown());
  }

  public Config withProcess(@Nullable Process process) {
    return with(draft -> draft.process = process);
  }

  public Config withRoot(@Nullable Root root) {
    return with(draft -> draft.root = root);
  }

  public Config withHostname(@Nullable String hostname) {
    return with(draft -> draft.hostname = hostname);
  }

  public Config withDomainname(@Nullable String domainname) {
    return with(draft -> draft.domainname = domainname);
  }

  public Config withMounts(List<Mount> mounts) {
    return with(draft -> draft.mounts = mounts);
  }

  public Config withLinux(Linux linux) {
    return with(draft -> draft.linux = linux);
  }

  public Config withAnnotations(Map<String, String> annotations) {
    return with(draft -> draft.annotations = annotations);
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("ociVersion", ociVersion)
        .member("process", process == null ? null : process.toJson())
        .member("root", root == null ? null : root.toJson())
        .string("hostname", hostname)
        .string("domainname", domainname)
        .objects("mounts", mounts, Mount::toJson)
        .member("hooks", hooks.equals(Hooks.NONE) ? null : hooks.toJson())
        .member("linux", linux.equals(Linux.NONE) ? null : linux.toJson())
        .stringMap("annotations", annotations)
        .object();
  }

  private Config with(Consumer<Draft> change) {
    Draft draft = new Draft();
    change.accept(draft);
    return draft.finish();
  }

  /// What can be changed in a copy of this.
  private final class Draft {
    @Nullable Process process = Config.this.process;
    @Nullable Root root = Config.this.root;
    @Nullable String hostname = Config.this.hostname;
    @Nullable String domainname = Config.this.domainname;
    List<Mount> mounts = Config.this.mounts;
    Linux linux = Config.this.linux;
    Map<String, String> annotations = Config.this.annotations;

    Config finish() {
      return new Config(
          ociVersion,
          process,
          root,
          hostname,
          domainname,
          mounts,
          hooks,
          linux,
          annotations,
          unknown);
    }
  }
}
