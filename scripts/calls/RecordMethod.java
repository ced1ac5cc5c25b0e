import java.util.List;
import java.util.stream.IntStream;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// `equals`, `hashCode` or `toString` of a record over its components: what `ObjectMethods.bootstrap` says.
record RecordMethod(String method, Type owner, List<Component> components) implements StaticMethod {
  /// A component and its field.
  record Component(String name, Type type) {}

  static RecordMethod of(String method, String descriptor, Object[] arguments) {
    Type owner = (Type) arguments[0];
    String names = (String) arguments[1];
    String[] each = names.isEmpty() ? new String[0] : names.split(";");
    return new RecordMethod(method, owner, IntStream.range(0, each.length).mapToObj(i -> new Component(each[i], field(arguments[i + 2]))).toList());
  }

  private static Type field(Object getter) {
    return Type.getType(((Handle) getter).getDesc());
  }

  @Override
  public String name() {
    return method + "$";
  }

  @Override
  public String descriptor() {
    return switch (method) {
      case "equals" -> "(" + owner + "Ljava/lang/Object;)Z";
      case "hashCode" -> "(" + owner + ")I";
      case "toString" -> "(" + owner + ")Ljava/lang/String;";
      default -> throw new IllegalArgumentException("a record's " + method);
    };
  }

  @Override
  public void write(MethodVisitor code) {
    switch (method) {
      case "equals" -> writeEquals(code);
      case "hashCode" -> writeHashCode(code);
      default -> writeToString(code);
    }
  }

  private void writeEquals(MethodVisitor code) {
    Label no = new Label();
    Label compare = new Label();
    code.visitVarInsn(Opcodes.ALOAD, 1);
    code.visitTypeInsn(Opcodes.INSTANCEOF, owner.getInternalName());
    code.visitJumpInsn(Opcodes.IFNE, compare);
    code.visitInsn(Opcodes.ICONST_0);
    code.visitInsn(Opcodes.IRETURN);
    code.visitLabel(compare);
    code.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
    code.visitVarInsn(Opcodes.ALOAD, 1);
    code.visitTypeInsn(Opcodes.CHECKCAST, owner.getInternalName());
    code.visitVarInsn(Opcodes.ASTORE, 2);
    for (Component one : components) {
      load(code, 0, one);
      load(code, 2, one);
      switch (one.type().getSort()) {
        case Type.FLOAT, Type.DOUBLE, Type.LONG -> {
          invoke(code, boxed(one.type()), "compare", "(" + one.type() + one.type() + ")I");
          code.visitJumpInsn(Opcodes.IFNE, no);
        }
        case Type.OBJECT, Type.ARRAY -> {
          invoke(code, "java/util/Objects", "equals", "(Ljava/lang/Object;Ljava/lang/Object;)Z");
          code.visitJumpInsn(Opcodes.IFEQ, no);
        }
        default -> code.visitJumpInsn(Opcodes.IF_ICMPNE, no);
      }
    }
    code.visitInsn(Opcodes.ICONST_1);
    code.visitInsn(Opcodes.IRETURN);
    if (!components.isEmpty()) {
      code.visitLabel(no);
      code.visitFrame(Opcodes.F_APPEND, 1, new Object[] {owner.getInternalName()}, 0, null);
      code.visitInsn(Opcodes.ICONST_0);
      code.visitInsn(Opcodes.IRETURN);
    }
    code.visitMaxs(4, 3);
  }

  private void writeHashCode(MethodVisitor code) {
    code.visitInsn(Opcodes.ICONST_0);
    for (Component one : components) {
      Numbers.push(code, 31);
      code.visitInsn(Opcodes.IMUL);
      load(code, 0, one);
      if (one.type().getSort() >= Type.ARRAY) invoke(code, "java/util/Objects", "hashCode", "(Ljava/lang/Object;)I");
      else invoke(code, boxed(one.type()), "hashCode", "(" + one.type() + ")I");
      code.visitInsn(Opcodes.IADD);
    }
    code.visitInsn(Opcodes.IRETURN);
    code.visitMaxs(3, 1);
  }

  private void writeToString(MethodVisitor code) {
    String builder = "java/lang/StringBuilder";
    code.visitTypeInsn(Opcodes.NEW, builder);
    code.visitInsn(Opcodes.DUP);
    code.visitMethodInsn(Opcodes.INVOKESPECIAL, builder, "<init>", "()V", false);
    String text = simpleName() + "[";
    for (Component one : components) {
      append(code, text + one.name() + "=");
      text = ", ";
      load(code, 0, one);
      String shown =
          switch (one.type().getSort()) {
            case Type.OBJECT, Type.ARRAY -> "Ljava/lang/Object;";
            case Type.BYTE, Type.SHORT -> "I";
            default -> one.type().getDescriptor();
          };
      code.visitMethodInsn(Opcodes.INVOKEVIRTUAL, builder, "append", "(" + shown + ")L" + builder + ";", false);
    }
    append(code, components.isEmpty() ? text + "]" : "]");
    code.visitMethodInsn(Opcodes.INVOKEVIRTUAL, builder, "toString", "()Ljava/lang/String;", false);
    code.visitInsn(Opcodes.ARETURN);
    code.visitMaxs(3, 1);
  }

  private static void append(MethodVisitor code, String text) {
    code.visitLdcInsn(text);
    code.visitMethodInsn(Opcodes.INVOKEVIRTUAL, "java/lang/StringBuilder", "append", "(Ljava/lang/String;)Ljava/lang/StringBuilder;", false);
  }

  private void load(MethodVisitor code, int variable, Component component) {
    code.visitVarInsn(Opcodes.ALOAD, variable);
    code.visitFieldInsn(Opcodes.GETFIELD, owner.getInternalName(), component.name(), component.type().getDescriptor());
  }

  private static void invoke(MethodVisitor code, String owner, String name, String descriptor) {
    code.visitMethodInsn(Opcodes.INVOKESTATIC, owner, name, descriptor, false);
  }

  private static String boxed(Type type) {
    return Conversion.boxed(type).getInternalName();
  }

  /// What Class.getSimpleName says: a local record's name follows a number.
  private String simpleName() {
    String name = owner.getInternalName();
    return name.substring(Math.max(name.lastIndexOf('/'), name.lastIndexOf('$')) + 1).replaceFirst("^[0-9]+", "");
  }
}
