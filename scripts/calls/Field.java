import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/// A field for what a lambda captures, in a class that several lambdas share: objects are in fields of one type, and what the JVM computes as int too.
record Field(String name, Type type) {
  private static final Type OBJECT = Type.getType(Object.class);

  static List<Field> of(List<Type> captured) {
    List<Field> fields = new ArrayList<>();
    for (Type one : captured) {
      Type type = one.getSort() >= Type.ARRAY ? OBJECT : one.getSort() <= Type.INT ? Type.INT_TYPE : one;
      long same = fields.stream().filter(field -> field.type().equals(type)).count();
      fields.add(new Field((type == OBJECT ? "o" : type.getDescriptor().toLowerCase()) + same, type));
    }
    return fields;
  }
}
