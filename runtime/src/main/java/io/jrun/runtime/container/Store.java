package io.jrun.runtime.container;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The directory of containers (`--root`): one directory each, `state.json` and `config.json` in
/// it, and `init.sock` while init waits to be started.
final class Store {
  private final Path root;

  Store(Path root) {
    this.root = root;
  }

  Path root() {
    return root;
  }

  Path directory(String id) {
    return root.resolve(id);
  }

  Path initSocket(String id) {
    return directory(id).resolve("init.sock");
  }

  /// Takes the id: the directory is the lock against a second container of that name.
  void create(String id) {
    try {
      Files.createDirectories(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Files.createDirectory(
          directory(id),
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      throw new ContainerException("container with given ID already exists");
    } catch (IOException e) {
      throw new UncheckedIOException("creating " + directory(id), e);
    }
  }

  void save(StoredState state) {
    write(state.id(), "state.json", state.toJson().toText("").getBytes(StandardCharsets.UTF_8));
  }

  void saveConfig(String id, byte[] config) {
    write(id, "config.json", config);
  }

  private void write(String id, String name, byte[] bytes) {
    try {
      Path temporary = directory(id).resolve("." + name);
      Files.write(temporary, bytes);
      Files.move(temporary, directory(id).resolve(name), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("writing " + directory(id).resolve(name), e);
    }
  }

  byte[] config(String id) {
    try {
      return Files.readAllBytes(directory(id).resolve("config.json"));
    } catch (NoSuchFileException e) {
      throw new ContainerException("container does not exist"); // deleted meanwhile
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The name of the user who owns the container; its number where it has no name.
  String owner(String id) {
    try {
      return Files.getOwner(directory(id)).getName();
    } catch (IOException e) {
      return "";
    }
  }

  boolean exists(String id) {
    return Files.isDirectory(directory(id));
  }

  /// The state; empty where the container is being made or its maker crashed before it wrote any.
  Optional<StoredState> find(String id) {
    try {
      return Optional.of(StoredState.read(Files.readAllBytes(directory(id).resolve("state.json"))));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  StoredState load(String id) {
    ContainerId.check(id);
    return find(id).orElseThrow(() -> new ContainerException("container does not exist"));
  }

  List<String> ids() {
    List<String> ids = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(root)) {
      for (Path entry : entries)
        if (Files.isDirectory(entry)) ids.add(entry.getFileName().toString());
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ids.sort(null);
    return ids;
  }

  void delete(String id) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory(id))) {
      for (Path entry : entries) Files.deleteIfExists(entry);
    } catch (NoSuchFileException e) {
      return;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      Files.deleteIfExists(directory(id));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
