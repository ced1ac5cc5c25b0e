package io.jrun.runtime.container;

import io.jrun.runtime.cli.Additions;
import io.jrun.runtime.mount.OwnPath;
import io.jrun.specs.json.ArrayEnd;
import io.jrun.specs.json.LatestParsed;
import io.jrun.specs.json.SpecException;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Parsed configs by their bytes, the latest few: a container's config is read by every command
/// about it, and many containers may be made of one bundle.
final class Configs {
  private static final int MOST = 64;
  private static final int LARGEST = 1 << 16;

  private record Text(byte[] bytes) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Text(byte[] others) && Arrays.equals(bytes, others);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }
  }

  private final Map<Text, Config> latest = new LatestParsed<>(MOST);

  private record Asked(Text config, Additions additions) {}

  private final Map<Asked, byte[]> annotated = new LatestParsed<>(MOST);

  /// The config with what the command line adds to it.
  byte[] annotated(byte[] bytes, Additions additions) {
    Asked asked = new Asked(new Text(bytes), additions);
    synchronized (annotated) {
      byte[] known = annotated.get(asked);
      if (known != null) return known;
    }
    byte[] made = Annotations.asked(bytes, additions);
    if (bytes.length > LARGEST) return made;
    synchronized (annotated) {
      annotated.put(asked, made);
    }
    return made;
  }

  /// A config that jrun can run; a problem of it is an exception.
  Config runnable(byte[] bytes) {
    if (bytes.length > LARGEST) return parsed(bytes);
    Text text = new Text(bytes);
    synchronized (latest) {
      Config known = latest.get(text);
      if (known != null) return known;
    }
    Config config = parsed(bytes);
    synchronized (latest) {
      latest.put(text, config);
    }
    return config;
  }

  /// A config that was made and not read; a problem of it is an exception.
  ///
  /// @param bytes its text
  Config made(Config config, byte[] bytes) {
    Text text = new Text(bytes);
    synchronized (latest) {
      if (config.equals(latest.get(text))) return config;
    }
    return remembered(checked(config), bytes);
  }

  /// The config itself, where jrun can run it.
  static Config checked(Config config) {
    config.check();
    Unsupported.check(config);
    return config;
  }

  /// The config itself, which need not be parsed where its text is read again.
  private Config remembered(Config config, byte[] bytes) {
    if (bytes.length > LARGEST) return config;
    synchronized (latest) {
      latest.put(new Text(bytes), config);
    }
    return config;
  }

  /// Where the mounts of a config end in its text.
  private record MountsEnd(byte[] text, int offset) {}

  /// Of the text that was asked for last.
  private volatile @Nullable MountsEnd mountsEnd;

  /// The text of a config that has more mounts than when it was read, and else is the same: as it
  /// was read, with them behind the others.
  byte[] text(Config config, Config asRead, byte[] bytes) {
    MountsEnd known = mountsEnd;
    if (known == null || !Arrays.equals(known.text(), bytes)) {
      known = new MountsEnd(bytes, ArrayEnd.of(bytes, "mounts"));
      mountsEnd = known;
    }
    int end = known.offset();
    if (end < 0) return text(config);
    ByteArrayOutputStream text = new ByteArrayOutputStream(bytes.length + 1024);
    text.write(bytes, 0, end);
    for (Mount mount : config.mounts().subList(asRead.mounts().size(), config.mounts().size())) {
      text.write(',');
      text.writeBytes(mount.toJson().toText().getBytes(StandardCharsets.UTF_8));
    }
    text.write(bytes, end, bytes.length - end);
    byte[] made = text.toByteArray();
    remembered(config, made);
    return made;
  }

  /// The text of a config that was checked.
  byte[] text(Config config) {
    byte[] bytes = config.toJson().toText("").getBytes(StandardCharsets.UTF_8);
    remembered(config, bytes);
    return bytes;
  }

  private static Config parsed(byte[] bytes) {
    Config config = Config.readValid(bytes);
    Unsupported.check(config);
    return config;
  }

  /// Forgets them all: the next command reads again what it needs.
  void forget() {
    synchronized (latest) {
      latest.clear();
    }
    synchronized (annotated) {
      annotated.clear();
    }
    mountsEnd = null;
  }

  /// The config of a container. The container is there, so it is taken as it is: another version
  /// may have taken what this one refuses.
  Config of(Store.Stored stored) {
    byte[] bytes = stored.config();
    if (bytes == null) throw new ContainerException("container is not made completely");
    try {
      return OwnPath.settled(runnable(bytes), stored.state().rootfs());
    } catch (SpecException e) {
      return Config.read(bytes);
    }
  }
}
