package io.jrun.specs.cni;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A version of the CNI specification. Versions that jrun does not know can be told and compared.
public record CniVersion(int major, int minor, int patch) implements Comparable<CniVersion> {
  public static final CniVersion V0_1_0 = new CniVersion(0, 1, 0);
  public static final CniVersion V0_2_0 = new CniVersion(0, 2, 0);
  public static final CniVersion V0_3_0 = new CniVersion(0, 3, 0);
  public static final CniVersion V0_3_1 = new CniVersion(0, 3, 1);
  public static final CniVersion V0_4_0 = new CniVersion(0, 4, 0);
  public static final CniVersion V1_0_0 = new CniVersion(1, 0, 0);
  public static final CniVersion V1_1_0 = new CniVersion(1, 1, 0);

  /// All that are known, the oldest first.
  public static final List<CniVersion> ALL =
      List.of(V0_1_0, V0_2_0, V0_3_0, V0_3_1, V0_4_0, V1_0_0, V1_1_0);

  private static final Pattern TEXT =
      Pattern.compile("([0-9]{1,6})(?:\\.([0-9]{1,6}))?(?:\\.([0-9]{1,6}))?");

  /// Parses `major.minor.patch`, of which the last two may lack.
  public static Optional<CniVersion> parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) return Optional.empty();
    return Optional.of(new CniVersion(number(matcher, 1), number(matcher, 2), number(matcher, 3)));
  }

  private static int number(Matcher matcher, int group) {
    String text = matcher.group(group);
    return text == null ? 0 : Integer.parseInt(text);
  }

  public boolean isKnown() {
    return ALL.contains(this);
  }

  public boolean atLeast(CniVersion other) {
    return compareTo(other) >= 0;
  }

  @Override
  public int compareTo(CniVersion other) {
    if (major != other.major) return Integer.compare(major, other.major);
    if (minor != other.minor) return Integer.compare(minor, other.minor);
    return Integer.compare(patch, other.patch);
  }

  /// As documents write it.
  public String text() {
    return major + "." + minor + "." + patch;
  }

  @Override
  public String toString() {
    return text();
  }
}
