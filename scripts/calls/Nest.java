import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The lambdas of a class and the classes within it. They become objects of one class of the same nest (of more where interfaces contradict each other), so that they may call what is private there.
final class Nest {
  /// The method that makes a lambda.
  record Factory(String owner, String name) {}

  private final String host;
  private final int version;
  private final Interfaces interfaces;
  private final List<LambdaClass> classes = new ArrayList<>();

  Nest(String host, int version, Interfaces interfaces) {
    this.host = host;
    this.version = version;
    this.interfaces = interfaces;
  }

  String host() {
    return host;
  }

  Factory add(Lambda lambda) {
    LambdaClass home =
        classes.stream()
            .filter(one -> one.interfaces().stream().noneMatch(other -> interfaces.areApart(lambda.interfaceName(), other)))
            .findFirst()
            .orElseGet(
                () -> {
                  LambdaClass made = new LambdaClass(host + "$Lambdas" + (classes.isEmpty() ? "" : classes.size()), host, version);
                  classes.add(made);
                  return made;
                });
    return new Factory(home.name(), home.add(lambda));
  }

  /// The classes by name.
  Map<String, byte[]> classes() {
    Map<String, byte[]> written = new TreeMap<>();
    for (LambdaClass one : classes) written.put(one.name(), one.write());
    return written;
  }
}
