package io.jrun.image.registry;

import io.jrun.image.ImageException;
import io.jrun.rootfs.CallerFiles;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.json.Json.JsonString;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/// One host that speaks the distribution specification, and one repository of it.
///
/// ```
///   jrun                                registry            token service
///     | GET /v2/…  ---------------------> |
///     | <---- 401, WWW-Authenticate       |
///     | GET realm?service=…&scope=…  -------------------------> |
///     | <-------------------------------------------- token     |
///     | GET /v2/…, Authorization: Bearer  |
/// ```
final class Registry implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(20);
  private static final Duration ANSWER = Duration.ofMinutes(2);
  private static final int MOST_REDIRECTS = 5;
  private static final int MOST_ERROR = 4096;

  private final HttpClient client;
  private final CallersEnd callersEnd;
  private final String host;
  private final String repository;
  private final URI base;
  private final String actions;
  private final Optional<Credentials> credentials;
  private volatile @Nullable String authorization;

  /// @param actions what will be done: `pull` or `pull,push`
  Registry(
      CallerFiles caller, String host, String repository, String actions, RegistryOptions options) {
    this.host = host;
    this.repository = repository;
    this.actions = actions;
    this.base = URI.create((options.plainHttp() ? "http://" : "https://") + host);
    this.credentials = Credentials.of(caller, host);
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .connectTimeout(CONNECT)
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER);
    options.authority().ifPresent(pem -> builder.sslContext(trusting(pem)));
    this.client = builder.build();
    this.callersEnd = new CallersEnd(caller, client::shutdownNow);
  }

  private static SSLContext trusting(byte[] pem) {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int number = 0;
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(pem))) {
        store.setCertificateEntry("authority-" + number++, certificate);
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new ImageException("the certificates cannot be used: " + e.getMessage(), e);
    }
  }

  URI uri(String path) {
    return base.resolve("/v2/" + repository + path);
  }

  /// A request that the given function completes, sent with what the registry wants to know; other
  /// answers than those expected are failures.
  HttpResponse<InputStream> send(HttpRequest.Builder request, int... expected) {
    HttpRequest built = request.build();
    HttpResponse<InputStream> response = exchange(built, authorization);
    if (response.statusCode() == 401) {
      discard(response);
      authorization = authorize(response);
      response = exchange(built, authorization);
    }
    return expected(built, redirected(built, response), expected);
  }

  /// The content of another host, which is not told who the caller is to this one.
  HttpResponse<InputStream> elsewhere(URI uri, Map<String, String> headers, int... expected) {
    HttpRequest request = get(uri, headers).build();
    return expected(request, redirected(request, exchange(request, null)), expected);
  }

  private static HttpResponse<InputStream> expected(
      HttpRequest request, HttpResponse<InputStream> response, int... expected) {
    for (int status : expected) if (response.statusCode() == status) return response;
    throw refused(request, response);
  }

  private HttpResponse<InputStream> redirected(HttpRequest built, HttpResponse<InputStream> first) {
    HttpResponse<InputStream> response = first;
    HttpRequest redirected = built;
    for (int i = 0; i < MOST_REDIRECTS && isRedirect(response, built.method()); i++) {
      URI to = location(redirected.uri(), response);
      discard(response);
      HttpRequest.Builder next = HttpRequest.newBuilder(to).timeout(ANSWER).GET();
      built.headers().firstValue("Range").ifPresent(range -> next.header("Range", range));
      redirected = next.build();
      // another host must not see who the caller is to this one
      boolean same = to.getAuthority() != null && to.getAuthority().equals(base.getAuthority());
      response = exchange(redirected, same ? authorization : null);
    }
    return response;
  }

  private static boolean isRedirect(HttpResponse<?> response, String method) {
    int status = response.statusCode();
    return method.equals("GET")
        && (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
  }

  /// Where an answer points to.
  static URI location(URI from, HttpResponse<?> response) {
    String location =
        response
            .headers()
            .firstValue("Location")
            .orElseThrow(() ->
                new RegistryException(
                    response.statusCode(), from.getPath() + ": the answer has no Location"));
    URI to = from.resolve(location);
    String scheme = String.valueOf(to.getScheme());
    boolean downgraded = "https".equals(from.getScheme()) && !scheme.equals("https");
    if (downgraded || !(scheme.equals("https") || scheme.equals("http"))) {
      throw new RegistryException(
          response.statusCode(), from.getPath() + ": the registry points to " + scheme);
    }
    return to;
  }

  private HttpResponse<InputStream> exchange(HttpRequest request, @Nullable String authorization) {
    HttpRequest sent =
        authorization == null
            ? request
            : HttpRequest.newBuilder(request, (name, value) -> true)
                .setHeader("Authorization", authorization)
                .build();
    try {
      return client.send(sent, BodyHandlers.ofInputStream());
    } catch (IOException e) {
      String why =
          e instanceof ConnectException
              ? "the connection was refused or does not come about"
              : String.valueOf(
                  e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
      throw new RegistryException(request.uri().getAuthority() + ": " + why, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ImageException("interrupted", e);
    }
  }

  static void discard(HttpResponse<InputStream> response) {
    try (InputStream body = response.body()) {
      body.readNBytes(MOST_ERROR);
    } catch (IOException e) {
      // its content does not matter
    }
  }

  private static RegistryException refused(
      HttpRequest request, HttpResponse<InputStream> response) {
    String text = "";
    try (InputStream body = response.body()) {
      text = errors(body.readNBytes(MOST_ERROR));
    } catch (IOException e) {
      // the status must do
    }
    return new RegistryException(
        response.statusCode(),
        request.method()
            + " "
            + request.uri().getAuthority()
            + request.uri().getPath()
            + ": status "
            + response.statusCode()
            + (text.isEmpty() ? "" : " (" + text + ")"));
  }

  /// The first error of the specification's form.
  private static String errors(byte[] body) {
    try {
      if (Json.parse(body) instanceof JsonObject object
          && object.member("errors") instanceof Json.JsonArray(List<Json> list)
          && !list.isEmpty()
          && list.getFirst() instanceof JsonObject first
          && first.member("code") instanceof JsonString(String code)) {
        String message = first.member("message") instanceof JsonString(String m) ? ": " + m : "";
        return (code + message).replace('\n', ' ');
      }
    } catch (RuntimeException e) {
      // not JSON: a proxy's page
    }
    return "";
  }

  private String authorize(HttpResponse<?> response) {
    Challenge challenge =
        response.headers().allValues("WWW-Authenticate").stream()
            .map(Challenge::parse)
            .flatMap(Optional::stream)
            .findFirst()
            .orElseThrow(
                () -> new RegistryException(401, host + ": access denied, no way in is offered"));
    if (challenge.scheme().equals("basic")) {
      return credentials
          .map(Credentials::basic)
          .orElseThrow(
              () -> new RegistryException(401, host + ": credentials are needed (config.json)"));
    }
    return "Bearer " + token(challenge);
  }

  private String token(Challenge challenge) {
    URI realm = URI.create(challenge.parameter("realm"));
    String scope = challenge.parameter("scope");
    if (scope.isEmpty()) scope = "repository:" + repository + ":" + actions;
    HttpRequest.Builder request;
    if (credentials.isPresent() && credentials.get().isToken()) {
      String form =
          "grant_type=refresh_token&client_id=jrun"
              + parameter("&service", challenge.parameter("service"))
              + parameter("&scope", scope)
              + parameter("&refresh_token", credentials.get().password());
      request =
          HttpRequest.newBuilder(realm)
              .header("Content-Type", "application/x-www-form-urlencoded")
              .POST(BodyPublishers.ofString(form));
    } else {
      String query =
          parameter("service", challenge.parameter("service")) + parameter("&scope", scope);
      String separator = realm.getRawQuery() == null ? "?" : "&";
      request = HttpRequest.newBuilder(URI.create(realm + separator + query)).GET();
      credentials.ifPresent(c -> request.header("Authorization", c.basic()));
    }
    HttpResponse<InputStream> response = exchange(request.timeout(ANSWER).build(), null);
    if (response.statusCode() != 200) throw refused(request.build(), response);
    try (InputStream body = response.body()) {
      if (Json.parse(body.readNBytes(1 << 20)) instanceof JsonObject object) {
        for (String name : new String[] {"token", "access_token"}) {
          if (object.member(name) instanceof JsonString(String token)) return token;
        }
      }
    } catch (IOException e) {
      throw new RegistryException(realm.getAuthority() + ": " + e.getMessage(), e);
    }
    throw new RegistryException(200, realm.getAuthority() + ": the answer has no token");
  }

  private static String parameter(String name, String value) {
    return value.isEmpty() ? "" : name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
  }

  HttpRequest.Builder get(String path, Map<String, String> headers) {
    return get(uri(path), headers);
  }

  private static HttpRequest.Builder get(URI uri, Map<String, String> headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(ANSWER).GET();
    headers.forEach(request::header);
    return request;
  }

  HttpRequest.Builder to(URI uri, String method, BodyPublisher body) {
    return HttpRequest.newBuilder(uri).timeout(ANSWER).method(method, body);
  }

  @Override
  public void close() {
    callersEnd.close();
    client.shutdownNow();
  }
}
