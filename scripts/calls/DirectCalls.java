import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Handle;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// Puts ordinary calls where a compiler wrote `invokedynamic`: for lambdas and method references, the methods of records, and switches over types. What
/// the JVM would link at run time, a hidden class for each lambda and a chain of method handles to each call, is written once, here.
///
/// Arguments: the directory of the classes, and the jars and directories of what they refer to. Ends with an error at an `invokedynamic` that it does not know.
final class DirectCalls {
  private final Path root;
  private final Map<String, byte[]> changed = new TreeMap<>();
  private final Map<String, Nest> nests = new TreeMap<>();
  private final Interfaces interfaces;

  private DirectCalls(Path root, Interfaces interfaces) {
    this.root = root;
    this.interfaces = interfaces;
  }

  public static void main(String[] arguments) throws IOException {
    List<Path> all = Stream.of(arguments).map(Path::of).toList();
    try (Interfaces interfaces = new Interfaces(all)) {
      new DirectCalls(all.getFirst(), interfaces).rewrite();
    }
  }

  private void rewrite() throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(root)) {
      files = walk.filter(file -> file.toString().endsWith(".class")).sorted().toList();
    }
    for (Path file : files) rewrite(Files.readAllBytes(file));
    for (Nest nest : nests.values()) {
      Map<String, byte[]> added = nest.classes();
      changed.compute(nest.host(), (host, bytes) -> withMembers(bytes == null ? read(host) : bytes, added.keySet().stream().toList()));
      changed.putAll(added);
    }
    for (Map.Entry<String, byte[]> one : changed.entrySet()) Files.write(file(one.getKey()), one.getValue());
  }

  private void rewrite(byte[] bytes) {
    ClassReader reader = new ClassReader(bytes);
    ClassWriter writer = new ClassWriter(reader, 0);
    Rewriting rewriting = new Rewriting(writer, reader.getClassName());
    reader.accept(rewriting, 0);
    if (rewriting.hasChanged) changed.put(reader.getClassName(), writer.toByteArray());
  }

  private static byte[] withMembers(byte[] bytes, List<String> members) {
    ClassReader reader = new ClassReader(bytes);
    ClassWriter writer = new ClassWriter(reader, 0);
    reader.accept(
        new ClassVisitor(Opcodes.ASM9, writer) {
          @Override
          public void visitEnd() {
            members.forEach(this::visitNestMember);
            super.visitEnd();
          }
        },
        0);
    return writer.toByteArray();
  }

  private Path file(String name) {
    return root.resolve(name + ".class");
  }

  private byte[] read(String name) {
    try {
      return Files.readAllBytes(file(name));
    } catch (IOException why) {
      throw new UncheckedIOException(why);
    }
  }

  private final class Rewriting extends ClassVisitor {
    private final String name;
    private final List<StaticMethod> methods = new ArrayList<>();
    private String host;
    private boolean isInterface;
    private int version;
    private boolean hasChanged;

    private Rewriting(ClassVisitor next, String name) {
      super(Opcodes.ASM9, next);
      this.name = name;
      host = name;
    }

    @Override
    public void visit(int version, int access, String name, String signature, String parent, String[] interfaces) {
      this.version = version;
      isInterface = (access & Opcodes.ACC_INTERFACE) != 0;
      super.visit(version, access, name, signature, parent, interfaces);
    }

    @Override
    public void visitNestHost(String host) {
      this.host = host;
      super.visitNestHost(host);
    }

    @Override
    public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
      return new MethodVisitor(Opcodes.ASM9, super.visitMethod(access, method, descriptor, signature, exceptions)) {
        @Override
        public void visitInvokeDynamicInsn(String called, String type, Handle bootstrap, Object... arguments) {
          hasChanged = true;
          if (bootstrap.getOwner().equals("java/lang/invoke/LambdaMetafactory") && bootstrap.getName().equals("metafactory")) {
            Nest nest = nests.computeIfAbsent(host, of -> new Nest(of, version, interfaces));
            Lambda lambda = new Lambda(called, Type.getMethodType(type), (Type) arguments[0], (Handle) arguments[1], (Type) arguments[2]);
            Nest.Factory factory = nest.add(lambda);
            super.visitMethodInsn(Opcodes.INVOKESTATIC, factory.owner(), factory.name(), type, false);
            return;
          }
          StaticMethod made =
              switch (bootstrap.getOwner() + "." + bootstrap.getName()) {
                case "java/lang/runtime/ObjectMethods.bootstrap" -> RecordMethod.of(called, type, arguments);
                case "java/lang/runtime/SwitchBootstraps.typeSwitch" -> new TypeSwitch("typeSwitch$" + methods.size(), type, List.of(arguments));
                default -> throw new IllegalArgumentException(name + "." + method + ": " + bootstrap);
              };
          if (!methods.contains(made)) methods.add(made);
          super.visitMethodInsn(Opcodes.INVOKESTATIC, name, made.name(), type, isInterface);
        }
      };
    }

    @Override
    public void visitEnd() {
      for (StaticMethod one : methods) {
        MethodVisitor code = super.visitMethod(Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC | Opcodes.ACC_SYNTHETIC, one.name(), one.descriptor(), null, null);
        code.visitCode();
        one.write(code);
        code.visitEnd();
      }
      super.visitEnd();
    }
  }
}
