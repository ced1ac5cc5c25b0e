package io.jrun.runtime.cli;

import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/// The options of one command in the making; built without annotations, which would cost
/// milliseconds of reflection.
final class Options {
  private final CommandSpec spec = CommandSpec.create();

  Options(String name, String summary) {
    spec.name(name);
    spec.usageMessage().description(summary).sortOptions(false).width(110);
    add(OptionSpec.builder("--help", "-h").usageHelp(true), "show help");
  }

  Options flag(String description, String... names) {
    return add(OptionSpec.builder(names), description);
  }

  Options hiddenFlag(String... names) {
    return add(OptionSpec.builder(names).hidden(true), "");
  }

  Options hiddenText(String... names) {
    return add(OptionSpec.builder(names).hidden(true).type(String.class).arity("1"), "");
  }

  Options text(String label, String description, String... names) {
    return add(
        OptionSpec.builder(names).type(String.class).arity("1").paramLabel(label), description);
  }

  /// An option that may come several times.
  Options texts(String label, String description, String... names) {
    return add(texts(label, names), description);
  }

  /// An option that may come several times, each with several values between commas.
  Options commaTexts(String label, String description, String... names) {
    return add(texts(label, names).splitRegex(","), description);
  }

  private static OptionSpec.Builder texts(String label, String... names) {
    return OptionSpec.builder(names)
        .type(List.class)
        .auxiliaryTypes(String.class)
        .arity("1")
        .paramLabel(label);
  }

  private Options add(OptionSpec.Builder option, String description) {
    spec.addOption(option.description(description).build());
    return this;
  }

  CommandSpec withArguments(String label) {
    spec.addPositional(
        PositionalParamSpec.builder()
            .index("0..*")
            .arity("0..*")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .paramLabel(label)
            .hideParamSyntax(true)
            .hidden(label.isEmpty())
            .build());
    return spec;
  }
}
