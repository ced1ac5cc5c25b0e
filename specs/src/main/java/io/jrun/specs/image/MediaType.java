package io.jrun.specs.image;

/// The media types of images, OCI's (media-types.md) and docker's older ones.
public final class MediaType {
  public static final String INDEX = "application/vnd.oci.image.index.v1+json";
  public static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  public static final String CONFIG = "application/vnd.oci.image.config.v1+json";
  public static final String LAYER = "application/vnd.oci.image.layer.v1.tar";
  public static final String DOCKER_LIST =
      "application/vnd.docker.distribution.manifest.list.v2+json";
  public static final String DOCKER_MANIFEST =
      "application/vnd.docker.distribution.manifest.v2+json";
  public static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
  public static final String DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";

  private static final String NON_DISTRIBUTABLE =
      "application/vnd.oci.image.layer.nondistributable.v1.tar";
  private static final String DOCKER_FOREIGN =
      "application/vnd.docker.image.rootfs.foreign.diff.tar";

  private MediaType() {}

  public static boolean isIndex(String type) {
    return type.equals(INDEX) || type.equals(DOCKER_LIST);
  }

  public static boolean isManifest(String type) {
    return type.equals(MANIFEST) || type.equals(DOCKER_MANIFEST);
  }

  public static boolean isConfig(String type) {
    return type.equals(CONFIG) || type.equals(DOCKER_CONFIG);
  }

  /// Whether it is a layer's archive, compressed in whatever way.
  public static boolean isLayer(String type) {
    return type.startsWith(LAYER) || type.startsWith(DOCKER_LAYER) || !isDistributable(type);
  }

  /// False for layers that may not be given on: whoever wants one gets it where its `urls` say.
  public static boolean isDistributable(String type) {
    return !type.startsWith(NON_DISTRIBUTABLE) && !type.startsWith(DOCKER_FOREIGN);
  }
}
