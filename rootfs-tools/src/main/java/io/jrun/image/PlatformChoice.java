package io.jrun.image;

import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Platform;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which manifest of an index is wanted.
///
/// @param variant null for whichever comes first
/// @param isAsked whether an image for one platform must be for this one
public record PlatformChoice(
    String os, String architecture, @Nullable String variant, boolean isAsked) {
  /// This machine's. An image that is only for another one may run here by binfmt_misc.
  public static PlatformChoice host() {
    return new PlatformChoice("linux", hostArchitecture(), null, false);
  }

  /// `os/architecture` or `os/architecture/variant`.
  public static PlatformChoice parse(String text) {
    String[] parts = text.split("/");
    if (parts.length < 2 || parts.length > 3) {
      throw new ImageException("not a platform (os/architecture[/variant]): " + text);
    }
    return new PlatformChoice(parts[0], parts[1], parts.length > 2 ? parts[2] : null, true);
  }

  public static String hostArchitecture() {
    String arch = System.getProperty("os.arch", "");
    return switch (arch) {
      case "x86_64" -> "amd64";
      case "aarch64" -> "arm64";
      default -> arch;
    };
  }

  public String text() {
    return os + "/" + architecture + (variant == null ? "" : "/" + variant);
  }

  /// The manifest of an index that fits.
  public ContentDescriptor choose(Index index) {
    List<ContentDescriptor> manifests = index.manifests();
    Optional<ContentDescriptor> found =
        manifests.stream().filter(m -> m.platform() != null && matches(m.platform())).findFirst();
    if (found.isPresent()) return found.get();
    List<ContentDescriptor> unsaid = manifests.stream().filter(m -> m.platform() == null).toList();
    if (unsaid.size() == 1) return unsaid.getFirst();
    throw new ImageException("the image has nothing for the platform " + text());
  }

  /// Refuses an image for another platform than the one that was asked for.
  void check(ImageConfig config) {
    String variant = config.variant();
    boolean fits =
        config.os().equals(os)
            && config.architecture().equals(architecture)
            && (this.variant == null || variant == null || variant.equals(this.variant));
    if (isAsked && !fits) {
      throw new ImageException(
          "the image is for %s/%s, not for the platform %s"
              .formatted(config.os(), config.architecture(), text()));
    }
  }

  private boolean matches(@Nullable Platform platform) {
    return platform != null
        && platform.os().equals(os)
        && platform.architecture().equals(architecture)
        && (variant == null || variant.equals(platform.variant()));
  }
}
