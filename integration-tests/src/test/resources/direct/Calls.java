import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.IntBinaryOperator;
import java.util.function.IntFunction;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import java.util.function.UnaryOperator;

/// Every kind of call that a compiler leaves to invokedynamic, and what comes of it, on standard output.
final class Calls {
  record Empty() {}

  record All(boolean z, byte b, char c, short s, int i, long j, float f, double d, String text, int[] many, List<Object> list) {}

  sealed interface Shape permits Circle, Square, Nothing {}

  record Circle(double radius) implements Shape {}

  record Square(int side) implements Shape {}

  enum Nothing implements Shape {
    NOTHING
  }

  interface Named {
    String name();

    default String twice() {
      return name() + name();
    }
  }

  /// Has a default method of the same name and type as {@link Named}, so no class can be both.
  interface AlsoNamed {
    String other();

    default String twice() {
      return other() + "/" + other();
    }
  }

  interface Many {
    String of(long one, int two, double three, Object four, byte five);
  }

  interface Counting {
    private int secret() {
      return 41;
    }

    int start();

    default Supplier<Integer> next() {
      return () -> secret() + start();
    }
  }

  static final class Inner {
    private final int value;

    private Inner(int value) {
      this.value = value;
    }

    private int plus(int other) {
      return value + other;
    }

    private static String shout(String word) {
      return word.toUpperCase();
    }
  }

  private static final List<String> SAID = new ArrayList<>();

  private final String own;

  private Calls(String own) {
    this.own = own;
  }

  private String own(String prefix) {
    return prefix + own;
  }

  private static void say(Object what) {
    SAID.add(String.valueOf(what));
  }

  private static boolean addsAndTells(String word) {
    SAID.add(word);
    return true;
  }

  private static long wide(int narrow) {
    return narrow * 10_000_000_000L;
  }

  private static <T> T first(List<T> all) {
    return all.get(0);
  }

  private static String shape(Shape shape) {
    return switch (shape) {
      case Circle(double radius) when radius > 10 -> "large circle";
      case Circle circle -> "circle " + circle.radius();
      case Square(int side) -> "square " + side;
      case Nothing nothing -> "nothing";
    };
  }

  private static String any(Object value) {
    return switch (value) {
      case null -> "null";
      case Integer number when number > 5 -> "large";
      case Integer number -> "small " + number;
      case CharSequence text -> "text " + text.length();
      default -> "other";
    };
  }

  private void ofInstances() {
    Function<String, String> bound = this::own;
    say(bound.apply("a ") + bound.andThen(Inner::shout).apply("b "));
    Supplier<Supplier<String>> nested = () -> () -> own + own;
    say(nested.get().get());
    Inner inner = new Inner(5);
    IntFunction<Inner> maker = Inner::new;
    Function<Integer, Integer> boundPrivate = inner::plus;
    BiFunction<Inner, Integer, Integer> unbound = Inner::plus;
    say(boundPrivate.apply(2) + unbound.apply(maker.apply(7), 1));
  }

  private static void ofNumbers() {
    int i = 3;
    long j = 1L << 40;
    float f = 1.5f;
    double d = 2.25;
    byte b = -7;
    char c = 'x';
    boolean z = true;
    Supplier<String> captured = () -> i + " " + j + " " + f + " " + d + " " + b + " " + c + " " + z;
    say(captured.get());
    LongSupplier widens = () -> i;
    ToLongFunction<Integer> unboxesAndWidens = Calls::wide;
    ToDoubleFunction<Long> toDouble = Long::longValue;
    LongFunction<Object> boxes = Long::valueOf;
    DoubleSupplier half = () -> d / 2;
    IntBinaryOperator max = Math::max;
    BinaryOperator<Integer> sum = Integer::sum;
    ToIntFunction<String> length = String::length;
    Function<Integer, Long> both = Calls::wide;
    say(widens.getAsLong() + unboxesAndWidens.applyAsLong(2) + toDouble.applyAsDouble(9L) + boxes.apply(4).hashCode() + half.getAsDouble());
    say(max.applyAsInt(4, 9) + sum.apply(20, 22) + length.applyAsInt("four") + both.apply(3));
    Many many = (one, two, three, four, five) -> one + ":" + two + ":" + three + ":" + four + ":" + five + ":" + j;
    say(many.of(1L, 2, 3.0, "4", (byte) 5));
  }

  private static void ofObjects() {
    Runnable dropsAResult = () -> addsAndTells("told");
    dropsAResult.run();
    java.util.function.Consumer<String> dropsToo = Calls::addsAndTells;
    dropsToo.accept("told again");
    Function<List<String>, String> generic = Calls::first;
    UnaryOperator<String> trim = String::trim;
    Predicate<String> isEmpty = String::isEmpty;
    Supplier<ArrayList<String>> list = ArrayList::new;
    IntFunction<int[]> array = int[]::new;
    say(generic.apply(List.of("one", "two")) + trim.apply(" x ") + isEmpty.negate().test("") + list.get() + array.apply(3).length);
    List<String> words = new ArrayList<>(List.of("pear", "fig", "apple"));
    words.sort(Comparator.comparing(String::length).reversed().thenComparing(Comparator.naturalOrder()));
    say(words);
    Named named = () -> "n";
    AlsoNamed other = () -> "o";
    say(named.twice() + other.twice());
    Counting counting = () -> 1;
    say(counting.next().get());
    say(Arrays.asList(1, 2, 3).stream().map(n -> n * 2).filter(n -> n > 2).mapToInt(Integer::intValue).sum());
  }

  private static void ofRecords() {
    record Local(String a, Circle b) {}
    int[] many = {1};
    All one = new All(true, (byte) 1, 'c', (short) 2, 3, 4, 5f, 6d, "t", many, List.of(1));
    All same = new All(true, (byte) 1, 'c', (short) 2, 3, 4, 5f, 6d, "t", many, List.of(1));
    say(one.equals(same) + " " + (one.hashCode() == same.hashCode()) + " " + one.toString().replaceAll("@[0-9a-f]+", "@"));
    say(one.equals(new All(true, (byte) 1, 'c', (short) 2, 3, 4, 5f, 6d, "t", new int[] {1}, List.of(1))));
    say(new Circle(Double.NaN).equals(new Circle(Double.NaN)) + " " + new Circle(0.0).equals(new Circle(-0.0)) + " " + new Circle(1).equals(null));
    say(new Empty() + " " + new Empty().equals(new Empty()) + " " + new Empty().hashCode() + " " + new Local(null, new Circle(2)));
    say(new Local(null, null).equals(new Local(null, null)) + " " + new Local("a", null).hashCode() + " " + new Square(3).equals(new Circle(3)));
  }

  private static void ofSwitches() {
    say(shape(new Circle(11)) + shape(new Circle(1)) + shape(new Square(2)) + shape(Nothing.NOTHING));
    say(any(null) + any(7) + any(1) + any("abc") + any(2L));
  }

  public static void main(String[] arguments) {
    new Calls("own").ofInstances();
    ofNumbers();
    ofObjects();
    ofRecords();
    ofSwitches();
    SAID.forEach(System.out::println);
  }
}
