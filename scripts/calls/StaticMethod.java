import org.objectweb.asm.MethodVisitor;

/// A method that takes the place of an `invokedynamic`, in the same class.
interface StaticMethod {
  String name();

  String descriptor();

  /// Writes the code with its frames, from the first instruction to the sizes of the stack and the variables.
  void write(MethodVisitor code);
}
