import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/// Constants of a method's code.
final class Numbers {
  private Numbers() {}

  static void push(MethodVisitor code, int value) {
    if (value >= -1 && value <= 5) code.visitInsn(Opcodes.ICONST_0 + value);
    else if (value == (byte) value) code.visitIntInsn(Opcodes.BIPUSH, value);
    else code.visitIntInsn(Opcodes.SIPUSH, value);
  }
}
