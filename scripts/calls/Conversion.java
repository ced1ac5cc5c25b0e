import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// The conversions that LambdaMetafactory makes between the values of an interface's method and those of what it calls: casts, boxes, wider primitives.
final class Conversion {
  private Conversion() {}

  /// Converts what is on the stack. `as` is what the generic type says that `from` is.
  static void convert(MethodVisitor code, Type from, Type as, Type to) {
    if (to.getSort() == Type.VOID) {
      if (from.getSort() != Type.VOID) code.visitInsn(from.getSize() == 2 ? Opcodes.POP2 : Opcodes.POP);
      return;
    }
    boolean isPrimitive = from.getSort() < Type.ARRAY;
    boolean becomesPrimitive = to.getSort() < Type.ARRAY;
    if (isPrimitive && becomesPrimitive) {
      widen(code, from, to);
    } else if (isPrimitive) {
      Type box = boxed(from);
      code.visitMethodInsn(Opcodes.INVOKESTATIC, box.getInternalName(), "valueOf", "(" + from + ")" + box, false);
    } else if (becomesPrimitive) {
      Type box = isBox(as) ? as : boxed(to);
      Type value = unboxed(box);
      cast(code, from, box);
      code.visitMethodInsn(Opcodes.INVOKEVIRTUAL, box.getInternalName(), value.getClassName() + "Value", "()" + value, false);
      widen(code, value, to);
    } else {
      cast(code, from, to);
    }
  }

  private static void cast(MethodVisitor code, Type from, Type to) {
    if (!from.equals(to) && !to.getInternalName().equals("java/lang/Object")) code.visitTypeInsn(Opcodes.CHECKCAST, to.getInternalName());
  }

  private static void widen(MethodVisitor code, Type from, Type to) {
    boolean isInt = from.getSort() <= Type.INT;
    if (from.equals(to) || isInt && to.getSort() <= Type.INT) return;
    code.visitInsn(
        switch ((isInt ? "I" : from.getDescriptor()) + to.getDescriptor()) {
          case "IJ" -> Opcodes.I2L;
          case "IF" -> Opcodes.I2F;
          case "ID" -> Opcodes.I2D;
          case "JF" -> Opcodes.L2F;
          case "JD" -> Opcodes.L2D;
          case "FD" -> Opcodes.F2D;
          default -> throw new IllegalArgumentException(from + " becomes " + to);
        });
  }

  static Type boxed(Type primitive) {
    return switch (primitive.getSort()) {
      case Type.BOOLEAN -> Type.getType(Boolean.class);
      case Type.CHAR -> Type.getType(Character.class);
      case Type.BYTE -> Type.getType(Byte.class);
      case Type.SHORT -> Type.getType(Short.class);
      case Type.INT -> Type.getType(Integer.class);
      case Type.LONG -> Type.getType(Long.class);
      case Type.FLOAT -> Type.getType(Float.class);
      case Type.DOUBLE -> Type.getType(Double.class);
      default -> throw new IllegalArgumentException(primitive + " has no box");
    };
  }

  private static boolean isBox(Type type) {
    return unboxed(type) != null;
  }

  private static Type unboxed(Type box) {
    return switch (box.getClassName()) {
      case "java.lang.Boolean" -> Type.BOOLEAN_TYPE;
      case "java.lang.Character" -> Type.CHAR_TYPE;
      case "java.lang.Byte" -> Type.BYTE_TYPE;
      case "java.lang.Short" -> Type.SHORT_TYPE;
      case "java.lang.Integer" -> Type.INT_TYPE;
      case "java.lang.Long" -> Type.LONG_TYPE;
      case "java.lang.Float" -> Type.FLOAT_TYPE;
      case "java.lang.Double" -> Type.DOUBLE_TYPE;
      default -> null;
    };
  }
}
