import java.io.DataInputStream;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Opcodes;

/// Gives the classes of jars that were compiled for Java 5 or earlier the stack maps of later class
/// files: an AOT cache takes no class without them, so each start would load and verify them anew,
/// with all that their verification asks for. Nothing else of a class changes.
///
/// Arguments: the jars of the class path, each of which is written anew where it has such classes.
final class StackMaps {
  public static void main(String[] jars) throws IOException {
    List<URL> urls = new ArrayList<>();
    for (String jar : jars) urls.add(Path.of(jar).toUri().toURL());
    try (URLClassLoader classes = new URLClassLoader(urls.toArray(URL[]::new))) {
      for (String jar : jars) rewrite(Path.of(jar), classes);
    }
  }

  private static void rewrite(Path jar, ClassLoader classes) throws IOException {
    Path fresh = jar.resolveSibling(jar.getFileName() + ".new");
    try (ZipFile from = new ZipFile(jar.toFile())) {
      List<? extends ZipEntry> entries = Collections.list(from.entries());
      boolean hasOld = false;
      for (ZipEntry entry : entries) hasOld |= isOld(from, entry);
      if (!hasOld) return;
      try (ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(fresh))) {
        for (ZipEntry entry : entries) {
          ZipEntry copy = new ZipEntry(entry.getName());
          copy.setTime(entry.getTime());
          to.putNextEntry(copy);
          byte[] bytes = from.getInputStream(entry).readAllBytes();
          to.write(isOld(from, entry) ? withStackMaps(bytes, classes) : bytes);
        }
      }
    }
    Files.move(fresh, jar, StandardCopyOption.REPLACE_EXISTING);
  }

  private static boolean isOld(ZipFile jar, ZipEntry entry) throws IOException {
    if (!entry.getName().endsWith(".class")) return false;
    try (DataInputStream in = new DataInputStream(jar.getInputStream(entry))) {
      in.readInt(); // the magic number
      in.readUnsignedShort(); // the minor version
      return in.readUnsignedShort() < Opcodes.V1_6;
    }
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
        new ClassVisitor(Opcodes.ASM9, writer) {
          @Override
          public void visit(
              int version,
              int access,
              String name,
              String signature,
              String parent,
              String[] interfaces) {
            super.visit(Opcodes.V1_8, access, name, signature, parent, interfaces);
          }
        },
        ClassReader.SKIP_FRAMES);
    return writer.toByteArray();
  }
}
