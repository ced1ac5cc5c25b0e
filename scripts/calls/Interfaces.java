import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import org.objectweb.asm.Type;

/// The interfaces that lambdas are of.
final class Interfaces implements AutoCloseable {
  private final URLClassLoader classes;

  Interfaces(List<Path> classPath) {
    classes = new URLClassLoader(classPath.stream().map(Interfaces::url).toArray(URL[]::new));
  }

  private static URL url(Path path) {
    try {
      return path.toUri().toURL();
    } catch (MalformedURLException why) {
      throw new UncheckedIOException(why);
    }
  }

  /// Whether no class can have both: a default method of one is a method of the other too.
  boolean areApart(String one, String other) {
    for (Method method : methods(one)) {
      for (Method same : methods(other)) {
        boolean isSame = method.getName().equals(same.getName()) && Type.getMethodDescriptor(method).equals(Type.getMethodDescriptor(same));
        if (isSame && method.getDeclaringClass() != same.getDeclaringClass() && (method.isDefault() || same.isDefault())) return true;
      }
    }
    return false;
  }

  private List<Method> methods(String name) {
    try {
      Class<?> type = Class.forName(Type.getObjectType(name).getClassName(), false, classes);
      return List.of(type.getMethods()).stream().filter(method -> !Modifier.isStatic(method.getModifiers())).toList();
    } catch (ClassNotFoundException why) {
      throw new IllegalArgumentException(why);
    }
  }

  @Override
  public void close() throws IOException {
    classes.close();
  }
}
