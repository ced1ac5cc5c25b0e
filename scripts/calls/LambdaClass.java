import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// One class of several lambdas. An object of it is one of them: `kind` says which of those with the same method it is, and fields hold what it captured.
final class LambdaClass {
  private static final String KIND = "kind";

  private final String name;
  private final String host;
  private final int version;

  /// The lambdas by their method's name and type; a lambda's place in its list is its kind.
  private final Map<String, List<Lambda>> methods = new LinkedHashMap<>();

  private final Map<Lambda, String> factories = new LinkedHashMap<>();
  private final TreeSet<String> interfaces = new TreeSet<>();
  private final Map<String, Type> fields = new TreeMap<>();

  LambdaClass(String name, String host, int version) {
    this.name = name;
    this.host = host;
    this.version = version;
  }

  String name() {
    return name;
  }

  TreeSet<String> interfaces() {
    return interfaces;
  }

  /// Returns the name of the method that makes it.
  String add(Lambda lambda) {
    String known = factories.get(lambda);
    if (known != null) return known;
    interfaces.add(lambda.interfaceName());
    for (Field field : Field.of(lambda.captured())) fields.put(field.name(), field.type());
    methods.computeIfAbsent(lambda.method() + lambda.erased(), method -> new ArrayList<>()).add(lambda);
    factories.put(lambda, "of" + factories.size());
    return factories.get(lambda);
  }

  byte[] write() {
    ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
    writer.visit(
        version, Opcodes.ACC_FINAL | Opcodes.ACC_SUPER | Opcodes.ACC_SYNTHETIC, name, null, "java/lang/Object", interfaces.toArray(String[]::new));
    writer.visitNestHost(host);
    List<Field> all = new ArrayList<>(List.of(new Field(KIND, Type.INT_TYPE)));
    fields.forEach((field, type) -> all.add(new Field(field, type)));
    for (Field field : all) writer.visitField(Opcodes.ACC_PRIVATE | Opcodes.ACC_FINAL, field.name(), field.type().getDescriptor(), null, null);
    Type constructor = Type.getMethodType(Type.VOID_TYPE, all.stream().map(Field::type).toArray(Type[]::new));
    writeConstructor(writer.visitMethod(Opcodes.ACC_PRIVATE, "<init>", constructor.getDescriptor(), null, null), all);
    factories.forEach(
        (lambda, factory) ->
            writeFactory(writer.visitMethod(Opcodes.ACC_STATIC, factory, lambda.factory().getDescriptor(), null, null), lambda, all, constructor));
    for (List<Lambda> same : methods.values()) {
      Lambda first = same.getFirst();
      writeMethod(writer.visitMethod(Opcodes.ACC_PUBLIC, first.method(), first.erased().getDescriptor(), null, null), same);
    }
    writer.visitEnd();
    return writer.toByteArray();
  }

  private void writeConstructor(MethodVisitor code, List<Field> all) {
    code.visitCode();
    code.visitVarInsn(Opcodes.ALOAD, 0);
    code.visitMethodInsn(Opcodes.INVOKESPECIAL, "java/lang/Object", "<init>", "()V", false);
    int variable = 1;
    for (Field field : all) {
      code.visitVarInsn(Opcodes.ALOAD, 0);
      code.visitVarInsn(field.type().getOpcode(Opcodes.ILOAD), variable);
      variable += field.type().getSize();
      code.visitFieldInsn(Opcodes.PUTFIELD, name, field.name(), field.type().getDescriptor());
    }
    end(code, Opcodes.RETURN);
  }

  private void writeFactory(MethodVisitor code, Lambda lambda, List<Field> all, Type constructor) {
    code.visitCode();
    code.visitTypeInsn(Opcodes.NEW, name);
    code.visitInsn(Opcodes.DUP);
    Numbers.push(code, methods.get(lambda.method() + lambda.erased()).indexOf(lambda));
    Map<String, Integer> variables = new LinkedHashMap<>();
    int variable = 0;
    for (Field field : Field.of(lambda.captured())) {
      variables.put(field.name(), variable);
      variable += field.type().getSize();
    }
    for (Field field : all.subList(1, all.size())) {
      Integer given = variables.get(field.name());
      if (given != null) code.visitVarInsn(field.type().getOpcode(Opcodes.ILOAD), given);
      else code.visitInsn(zero(field.type()));
    }
    code.visitMethodInsn(Opcodes.INVOKESPECIAL, name, "<init>", constructor.getDescriptor(), false);
    end(code, Opcodes.ARETURN);
  }

  private static int zero(Type type) {
    return switch (type.getSort()) {
      case Type.INT -> Opcodes.ICONST_0;
      case Type.LONG -> Opcodes.LCONST_0;
      case Type.FLOAT -> Opcodes.FCONST_0;
      case Type.DOUBLE -> Opcodes.DCONST_0;
      default -> Opcodes.ACONST_NULL;
    };
  }

  private void writeMethod(MethodVisitor code, List<Lambda> same) {
    code.visitCode();
    if (same.size() > 1) {
      Label[] labels = new Label[same.size()];
      for (int i = 0; i < labels.length; i++) labels[i] = new Label();
      code.visitVarInsn(Opcodes.ALOAD, 0);
      code.visitFieldInsn(Opcodes.GETFIELD, name, KIND, "I");
      // no object is of another kind
      code.visitTableSwitchInsn(0, labels.length - 2, labels[labels.length - 1], List.of(labels).subList(0, labels.length - 1).toArray(Label[]::new));
      for (int i = 0; i < labels.length; i++) {
        code.visitLabel(labels[i]);
        code.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
        same.get(i).write(code, name, Field.of(same.get(i).captured()));
      }
    } else {
      same.getFirst().write(code, name, Field.of(same.getFirst().captured()));
    }
    code.visitMaxs(0, 0);
    code.visitEnd();
  }

  private static void end(MethodVisitor code, int instruction) {
    code.visitInsn(instruction);
    code.visitMaxs(0, 0);
    code.visitEnd();
  }
}
