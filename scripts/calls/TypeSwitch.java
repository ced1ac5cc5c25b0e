import java.util.List;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// Which case of a switch over types a value belongs to, from one case on: what `SwitchBootstraps.typeSwitch` says. Its labels are classes.
record TypeSwitch(String name, String descriptor, List<Object> labels) implements StaticMethod {
  TypeSwitch {
    for (Object label : labels) if (!(label instanceof Type)) throw new IllegalArgumentException("a switch with the label " + label);
  }

  @Override
  public void write(MethodVisitor code) {
    Label some = new Label();
    code.visitVarInsn(Opcodes.ALOAD, 0);
    code.visitJumpInsn(Opcodes.IFNONNULL, some);
    Numbers.push(code, -1);
    code.visitInsn(Opcodes.IRETURN);
    same(code, some);
    for (int i = 0; i < labels.size(); i++) {
      Label next = new Label();
      code.visitVarInsn(Opcodes.ILOAD, 1);
      Numbers.push(code, i);
      code.visitJumpInsn(Opcodes.IF_ICMPGT, next);
      code.visitVarInsn(Opcodes.ALOAD, 0);
      code.visitTypeInsn(Opcodes.INSTANCEOF, ((Type) labels.get(i)).getInternalName());
      code.visitJumpInsn(Opcodes.IFEQ, next);
      Numbers.push(code, i);
      code.visitInsn(Opcodes.IRETURN);
      same(code, next);
    }
    Numbers.push(code, labels.size());
    code.visitInsn(Opcodes.IRETURN);
    code.visitMaxs(2, 2);
  }

  private static void same(MethodVisitor code, Label label) {
    code.visitLabel(label);
    code.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
  }
}
