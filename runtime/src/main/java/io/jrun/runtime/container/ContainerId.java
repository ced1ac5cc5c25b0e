package io.jrun.runtime.container;

/// What a container may be called: runc's characters, no path, at most 1024 of them.
public final class ContainerId {
  private static final int LONGEST = 1024;

  private ContainerId() {}

  public static void check(String id) {
    if (id.isEmpty()) throw new ContainerException("container id cannot be empty");
    if (id.length() > LONGEST)
      throw new ContainerException("invalid container id: longer than " + LONGEST + " characters");
    if (id.equals(".") || id.equals("..") || !id.matches("[A-Za-z0-9_+.-]+")) {
      throw new ContainerException(
          "invalid container id \"" + id + "\": only letters, digits, _, +, - and . are allowed");
    }
  }
}
