package io.jrun.cni.etcd;

import io.jrun.specs.json.JsonReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where an etcd is, how to prove who we are, and how long to wait for it.
///
/// @param endpoints URLs with the scheme http or https, all of one scheme
/// @param prefix what the keys begin with, without a slash at its end
/// @param caFile certificates to trust, PEM; null for those of the JDK
/// @param certFile this client's certificate, PEM; null for none
/// @param keyFile its key, PEM in PKCS #8
/// @param username of etcd's own users; null for none
/// @param passwordFile holds that user's password
/// @param leaseSeconds after which a node that does not renew its lease has left
/// @param timeoutMillis for each request
public record EtcdConfig(
    List<String> endpoints,
    String prefix,
    @Nullable Path caFile,
    @Nullable Path certFile,
    @Nullable Path keyFile,
    @Nullable String username,
    @Nullable Path passwordFile,
    int leaseSeconds,
    int timeoutMillis) {
  private static final String PREFIX = "/jrun/cni";

  /// As long as flannel's: an etcd that is away for hours must not cost a node its subnet.
  private static final int LEASE_SECONDS = 86_400;

  private static final int MIN_LEASE_SECONDS = 2;
  private static final int TIMEOUT_MILLIS = 3000;
  private static final int MAX_TIMEOUT_MILLIS = 60_000;

  public EtcdConfig {
    endpoints = List.copyOf(endpoints);
  }

  public static EtcdConfig read(JsonReader r) {
    List<String> endpoints = r.strings("endpoints");
    if (endpoints.isEmpty()) r.problem("endpoints", "is required");
    boolean isTls = endpoints.stream().anyMatch(e -> e.startsWith("https://"));
    for (String endpoint : endpoints) {
      if (!endpoint.matches("https?://[^/?#]+:[0-9]{1,5}")) {
        r.problem("endpoints", "must be http://HOST:PORT or https://HOST:PORT, not " + endpoint);
      } else if (isTls != endpoint.startsWith("https://")) {
        r.problem("endpoints", "must all be http or all be https");
      }
    }
    String prefix = r.optionalString("prefix");
    if (prefix == null) prefix = PREFIX;
    if (!prefix.startsWith("/") || prefix.endsWith("/")) {
      r.problem("prefix", "must begin with a slash and not end with one");
    }
    Path cert = file(r, "certFile");
    Path key = file(r, "keyFile");
    if ((cert == null) != (key == null)) r.problem("keyFile", "and certFile need each other");
    Path ca = file(r, "caFile");
    if (!isTls && (ca != null || cert != null)) r.problem("caFile", "needs https endpoints");
    String username = r.optionalString("username");
    Path password = file(r, "passwordFile");
    if ((username == null) != (password == null)) {
      r.problem("passwordFile", "and username need each other");
    }
    return new EtcdConfig(
        endpoints,
        prefix,
        ca,
        cert,
        key,
        username,
        password,
        number(r, "leaseSeconds", MIN_LEASE_SECONDS, Integer.MAX_VALUE, LEASE_SECONDS),
        number(r, "timeoutMillis", 1, MAX_TIMEOUT_MILLIS, TIMEOUT_MILLIS));
  }

  private static int number(JsonReader r, String name, int min, int max, int absent) {
    int value = r.int32(name);
    if (value == 0) return absent;
    if (value < min || value > max) r.problem(name, "must be from " + min + " to " + max);
    return value;
  }

  private static @Nullable Path file(JsonReader r, String name) {
    String text = r.optionalString(name);
    if (text == null) return null;
    Path path = Path.of(text);
    if (!path.isAbsolute()) r.problem(name, "must be an absolute path");
    else if (!Files.isReadable(path)) r.problem(name, path + " cannot be read");
    return path;
  }
}
