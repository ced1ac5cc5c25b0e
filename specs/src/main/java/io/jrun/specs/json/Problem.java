package io.jrun.specs.json;

/// What is wrong at one place of a document; the pointer (RFC 6901) of the whole document is empty.
public record Problem(String pointer, String message) {
  @Override
  public String toString() {
    return pointer.isEmpty() ? message : pointer + ": " + message;
  }
}
