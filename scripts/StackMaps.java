import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Opcodes;

/// Gives the classes of jars that were compiled for Java 5 or earlier the stack maps of later class files: an AOT
/// cache takes no class without them, so each start would load and verify them anew, and open all jars in a search for
/// what they name. Nothing else of a class changes.
///
/// Arguments: the jars of the class path, each of which is written anew where it has such classes.
final class StackMaps {
  private static final int MAJOR_VERSION = 6; // of a class file, the low byte at 7

  public static void main(String[] jars) throws IOException {
    List<URL> urls = new ArrayList<>();
    for (String jar : jars) urls.add(Path.of(jar).toUri().toURL());
    try (URLClassLoader classes = new URLClassLoader(urls.toArray(URL[]::new))) {
      for (String jar : jars) rewrite(Path.of(jar), classes);
    }
  }

  private static void rewrite(Path jar, ClassLoader classes) throws IOException {
    ByteArrayOutputStream fresh = new ByteArrayOutputStream();
    boolean isChanged = false;
    try (ZipInputStream in = new ZipInputStream(Files.newInputStream(jar));
        ZipOutputStream out = new ZipOutputStream(fresh)) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        byte[] bytes = in.readAllBytes();
        if (entry.getName().endsWith(".class") && version(bytes) < Opcodes.V1_6) {
          bytes = withStackMaps(bytes, classes);
          isChanged = true;
        }
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTime(entry.getTime());
        out.putNextEntry(copy);
        out.write(bytes);
      }
    }
    if (!isChanged) return;
    Path next = jar.resolveSibling(jar.getFileName() + ".new");
    Files.write(next, fresh.toByteArray());
    Files.move(next, jar, StandardCopyOption.REPLACE_EXISTING);
  }

  private static int version(byte[] bytes) {
    return (bytes[MAJOR_VERSION] & 0xff) << 8 | bytes[MAJOR_VERSION + 1] & 0xff;
  }

  private static byte[] withStackMaps(byte[] bytes, ClassLoader classes) {
    ClassReader reader = new ClassReader(bytes);
    ClassWriter writer =
        new ClassWriter(ClassWriter.COMPUTE_FRAMES) {
          @Override
          protected ClassLoader getClassLoader() {
            return classes;
          }
        };
    reader.accept(
        new org.objectweb.asm.ClassVisitor(Opcodes.ASM9, writer) {
          @Override
          public void visit(int version, int access, String name, String signature, String parent, String[] interfaces) {
            super.visit(Opcodes.V1_8, access, name, signature, parent, interfaces);
          }
        },
        ClassReader.SKIP_FRAMES);
    return writer.toByteArray();
  }
}
