import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Handle;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// A lambda or a method reference, as `LambdaMetafactory.metafactory` is told of it.
///
/// @param method the name of the interface's method
/// @param factory from what is captured to the interface
/// @param erased the type of the interface's method
/// @param body what it calls
/// @param generic the type of the interface's method, as far as it is known here
record Lambda(String method, Type factory, Type erased, Handle body, Type generic) {
  String interfaceName() {
    return factory.getReturnType().getInternalName();
  }

  List<Type> captured() {
    return List.of(factory.getArgumentTypes());
  }

  /// Writes the call, with what was captured in fields and the rest in the variables of the interface's method.
  void write(MethodVisitor code, String owner, List<Field> fields) {
    boolean isNew = body.getTag() == Opcodes.H_NEWINVOKESPECIAL;
    if (isNew) {
      code.visitTypeInsn(Opcodes.NEW, body.getOwner());
      code.visitInsn(Opcodes.DUP);
    }
    List<Type> parameters = parameters();
    int at = 0;
    for (Field field : fields) {
      code.visitVarInsn(Opcodes.ALOAD, 0);
      code.visitFieldInsn(Opcodes.GETFIELD, owner, field.name(), field.type().getDescriptor());
      Conversion.convert(code, field.type(), captured().get(at), parameters.get(at));
      at++;
    }
    Type[] given = erased.getArgumentTypes();
    int variable = 1;
    for (int i = 0; i < given.length; i++) {
      code.visitVarInsn(given[i].getOpcode(Opcodes.ILOAD), variable);
      variable += given[i].getSize();
      Conversion.convert(code, given[i], generic.getArgumentTypes()[i], parameters.get(at++));
    }
    code.visitMethodInsn(call(), body.getOwner(), body.getName(), body.getDesc(), body.isInterface());
    Type result = isNew ? Type.getObjectType(body.getOwner()) : Type.getReturnType(body.getDesc());
    Conversion.convert(code, result, result, erased.getReturnType());
    code.visitInsn(erased.getReturnType().getOpcode(Opcodes.IRETURN));
  }

  private List<Type> parameters() {
    List<Type> all = new ArrayList<>(List.of(Type.getArgumentTypes(body.getDesc())));
    if (body.getTag() != Opcodes.H_INVOKESTATIC && body.getTag() != Opcodes.H_NEWINVOKESPECIAL) all.addFirst(Type.getObjectType(body.getOwner()));
    return all;
  }

  private int call() {
    return switch (body.getTag()) {
      case Opcodes.H_INVOKESTATIC -> Opcodes.INVOKESTATIC;
      case Opcodes.H_NEWINVOKESPECIAL -> Opcodes.INVOKESPECIAL;
      // a private method of the nest, too
      default -> body.isInterface() ? Opcodes.INVOKEINTERFACE : Opcodes.INVOKEVIRTUAL;
    };
  }
}
