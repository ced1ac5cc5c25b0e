package io.jrun.image.registry;

import io.jrun.image.ImageException;
import io.jrun.image.source.ImageFiles;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.stream.Origin;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.json.Json.JsonString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Who the caller is to a registry, from docker's config.json: its own entries, a helper for one
/// host (`credHelpers`) or for all (`credsStore`).
///
/// @param password of the user, or an identity token where the user is `<token>`
record Credentials(String user, String password) {
  private static final String TOKEN = "<token>";

  boolean isToken() {
    return user.equals(TOKEN);
  }

  String basic() {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  /// Empty where the caller has none for the host.
  static Optional<Credentials> of(CallerFiles caller, String host) {
    Optional<String> directory =
        caller
            .variable("DOCKER_CONFIG")
            .or(() -> caller.variable("HOME").map(home -> home + "/.docker"));
    Optional<JsonObject> config = directory.flatMap(d -> read(caller, d + "/config.json"));
    if (config.isEmpty()) return Optional.empty();
    JsonObject object = config.get();
    Optional<String> helper =
        text(child(object, "credHelpers"), host).or(() -> text(object, "credsStore"));
    if (helper.isPresent()) {
      Optional<Credentials> found = ask(caller, helper.get(), host);
      if (found.isPresent()) return found;
    }
    JsonObject auths = child(object, "auths");
    for (String name : List.of(host, "https://" + host, "http://" + host, host + "/")) {
      if (!(auths.member(name) instanceof JsonObject entry)) continue;
      Optional<Credentials> token =
          text(entry, "identitytoken").map(value -> new Credentials(TOKEN, value));
      if (token.isPresent()) return token;
      Optional<String> auth = text(entry, "auth");
      if (auth.isPresent()) return decode(auth.get(), host);
      Optional<String> user = text(entry, "username");
      Optional<String> password = text(entry, "password");
      if (user.isPresent() && password.isPresent()) {
        return Optional.of(new Credentials(user.get(), password.get()));
      }
    }
    return Optional.empty();
  }

  private static Optional<Credentials> decode(String auth, String host) {
    try {
      String text = new String(Base64.getDecoder().decode(auth.strip()), StandardCharsets.UTF_8);
      int colon = text.indexOf(':');
      if (colon > 0) {
        return Optional.of(
            new Credentials(
                text.substring(0, colon), text.substring(colon + 1).replaceAll("\0+$", "")));
      }
    } catch (IllegalArgumentException e) {
      // told below
    }
    throw new ImageException("config.json: the credentials for " + host + " are damaged");
  }

  private static JsonObject child(JsonObject object, String name) {
    return object.member(name) instanceof JsonObject child ? child : JsonObject.EMPTY;
  }

  private static Optional<String> text(JsonObject object, String name) {
    return object.member(name) instanceof JsonString(String value) && !value.isEmpty()
        ? Optional.of(value)
        : Optional.empty();
  }

  private static Optional<JsonObject> read(CallerFiles caller, String path) {
    try (OwnedDescriptor file = caller.open(path)) {
      Origin origin = Origin.range(caller.kernel(), file, 0, caller.stat(file).size());
      return Json.parse(ImageFiles.bytes(path, origin)) instanceof JsonObject object
          ? Optional.of(object)
          : Optional.empty();
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT) || e.errno().equals(Errno.EACCES)) return Optional.empty();
      throw e;
    }
  }

  /// Runs `docker-credential-NAME get` with the caller's environment.
  private static Optional<Credentials> ask(CallerFiles caller, String helper, String host) {
    if (!helper.matches("[A-Za-z0-9._-]+")) {
      throw new ImageException("config.json: not the name of a credential helper: " + helper);
    }
    try {
      ProcessBuilder builder =
          new ProcessBuilder("/usr/bin/env", "docker-credential-" + helper, "get");
      Map<String, String> environment = builder.environment();
      environment.clear();
      for (String variable : caller.env()) {
        int equals = variable.indexOf('=');
        if (equals > 0)
          environment.put(variable.substring(0, equals), variable.substring(equals + 1));
      }
      Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try (var stdin = process.getOutputStream()) {
        stdin.write((host + "\n").getBytes(StandardCharsets.UTF_8));
      }
      byte[] answer = process.getInputStream().readNBytes(1 << 16);
      if (process.waitFor() != 0) return Optional.empty(); // it has none for this host
      if (!(Json.parse(answer) instanceof JsonObject object)) return Optional.empty();
      Optional<String> user = text(object, "Username");
      Optional<String> secret = text(object, "Secret");
      if (user.isEmpty() || secret.isEmpty()) return Optional.empty();
      return Optional.of(new Credentials(user.get(), secret.get()));
    } catch (IOException e) {
      throw new ImageException("the credential helper " + helper + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ImageException("interrupted", e);
    }
  }
}
