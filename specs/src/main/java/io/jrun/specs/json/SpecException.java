package io.jrun.specs.json;

import java.util.List;
import java.util.stream.Collectors;

/// A document that is refused, with everything that is wrong with it.
public final class SpecException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String document;
  private final transient List<Problem> problems;

  public SpecException(String document, List<Problem> problems) {
    super(
        document
            + ": "
            + problems.stream().map(Problem::toString).collect(Collectors.joining("; ")));
    this.document = document;
    this.problems = List.copyOf(problems);
  }

  /// The document's name as the message shows it, such as `config.json`.
  public String document() {
    return document;
  }

  public List<Problem> problems() {
    return problems;
  }
}
