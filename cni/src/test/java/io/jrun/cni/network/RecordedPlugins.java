package io.jrun.cni.network;

import io.jrun.cni.CniException;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.PluginExecutor;
import io.jrun.cni.plugin.PluginInput;
import io.jrun.cni.plugin.Verb;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Plugins that answer what they were told to and remember what they were asked.
final class RecordedPlugins implements PluginExecutor {
  record Asked(String type, PluginCall call, Json.JsonObject stdin) {}

  final List<Asked> asked = new ArrayList<>();
  final List<String> told = new ArrayList<>();
  private boolean begins;
  private boolean wires = true;
  private final Map<String, String> answers = new HashMap<>();
  private final Map<String, CniException> failures = new HashMap<>();

  RecordedPlugins answer(String type, Verb verb, String json) {
    answers.put(type + verb, json);
    return this;
  }

  RecordedPlugins fail(String type, Verb verb, int code, String message) {
    failures.put(type + verb, new CniException(code, message));
    return this;
  }

  void succeed(String type, Verb verb) {
    failures.remove(type + verb);
  }

  List<String> calls() {
    return asked.stream().map(a -> a.call().verb() + " " + a.type()).toList();
  }

  Json.JsonObject stdin(int index) {
    return asked.get(index).stdin();
  }

  /// Whether an ADD that is begun can be wired before a process is in the namespace.
  void wires(boolean value) {
    wires = value;
  }

  /// From now on an ADD can be begun.
  RecordedPlugins begins() {
    begins = true;
    return this;
  }

  @Override
  public Optional<BegunAdd> begin(String type, PluginCall call, PluginInput input) {
    if (!begins) return Optional.empty();
    told.add("begin " + call.netns());
    return Optional.of(
        new BegunAdd() {
          @Override
          public void prepare() {
            told.add("prepare");
            CniException failure = failures.get(type + call.verb());
            if (failure != null) throw failure;
          }

          @Override
          public boolean wire(NetworkNamespace namespace) {
            told.add("wire");
            CniException failure = failures.get(type + call.verb());
            if (failure != null) throw failure;
            return wires;
          }

          @Override
          public CniResult finish(String netns) {
            told.add("finish " + netns);
            return CniResult.read(
                "the result",
                answers.getOrDefault(type + call.verb(), "").getBytes(StandardCharsets.UTF_8),
                CniVersion.V1_0_0);
          }

          @Override
          public void abandon() {
            told.add("abandon");
          }

          @Override
          public void removeLinkAtEnd(OwnedDescriptor process) {
            throw new IllegalStateException("there is no link");
          }

          @Override
          public void delete() {
            told.add("delete");
            CniException failure = failures.get(type + Verb.DEL);
            if (failure != null) throw failure;
          }
        });
  }

  @Override
  public byte[] execute(String type, PluginCall call, PluginInput input) {
    asked.add(new Asked(type, call, JsonReader.read("stdin", input.bytes(), JsonReader::object)));
    CniException failure = failures.get(type + call.verb());
    if (failure != null) throw failure;
    return answers.getOrDefault(type + call.verb(), "").getBytes(StandardCharsets.UTF_8);
  }
}
