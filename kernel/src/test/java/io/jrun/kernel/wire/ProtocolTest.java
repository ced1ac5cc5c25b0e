package io.jrun.kernel.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Number;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SocketCall;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The Java side and protocol.h, which is the one source of the numbers.
class ProtocolTest {
  private static final Pattern DEFINE = Pattern.compile("(?m)^#define (\\w+) (-?\\w+)");
  private static final Pattern SIZE =
      Pattern.compile("_Static_assert\\(sizeof\\(struct (\\w+)\\) == (\\d+)");
  private static final int FIRST_PSEUDO = 0xff00;

  @Test
  void bothSidesHaveTheSameNumbers() throws Exception {
    assertThat(ours()).containsExactlyEntriesOf(theirs());
  }

  @Test
  void everyStructureOfTheHeaderHasItsSizeAsserted() throws IOException {
    String header = header();
    Matcher struct = Pattern.compile("(?m)^struct (\\w+) \\{").matcher(header);
    while (struct.find())
      assertThat(header).contains("_Static_assert(sizeof(struct " + struct.group(1) + ")");
  }

  private static SortedMap<String, Long> theirs() throws IOException {
    SortedMap<String, Long> numbers = new TreeMap<>();
    String header = header();
    for (Matcher m = DEFINE.matcher(header); m.find(); ) {
      numbers.put(m.group(1), Long.decode(m.group(2).replaceFirst("L$", "")));
    }
    for (Matcher m = SIZE.matcher(header); m.find(); )
      numbers.put("struct " + m.group(1), Long.valueOf(m.group(2)));
    return numbers;
  }

  private static SortedMap<String, Long> ours() throws IllegalAccessException {
    SortedMap<String, Long> numbers = new TreeMap<>();
    for (Field field : Protocol.class.getDeclaredFields()) {
      if (field.isSynthetic()) continue;
      numbers.put(cName(field.getName()), ((java.lang.Number) field.get(null)).longValue());
    }
    for (Number number : Number.values()) {
      if (number.value() < FIRST_PSEUDO) continue;
      String name = number == Number.LISTEN_FOR_START ? "LISTEN" : number.name();
      numbers.put("CALL_" + name, (long) number.value());
    }
    numbers.put("RESULT_SKIPPED", Results.SKIPPED);
    numbers.put("struct monitor", (long) monitorSize());
    numbers.put("MAX_PASSED", (long) receivableDescriptors());
    return numbers;
  }

  private static String cName(String field) {
    return switch (field) {
      case "MAGIC", "VERSION" -> "PROTOCOL_" + field;
      case String f when f.endsWith("_SIZE") && !f.equals("ARENA_SIZE") ->
          "struct "
              + f.substring(0, f.length() - "_SIZE".length()).toLowerCase(java.util.Locale.ROOT);
      default -> field;
    };
  }

  private static int monitorSize() {
    Layout layout = new Layout(0, 48, new byte[64]);
    layout.call(new PseudoCall.Monitor(1, Descriptor.NONE, new byte[0]), 0);
    return layout.size() - 48;
  }

  /// What recvmsg makes room for: a cmsghdr of 16 bytes and the descriptors.
  private static int receivableDescriptors() {
    Layout layout = new Layout(0, 48, new byte[64]);
    layout.call(new SocketCall.Recvmsg(Descriptor.STDIN, 16, 0), 0);
    return (layout.outSize() - 16 - 16) / 4;
  }

  private static String header() throws IOException {
    return Files.readString(Path.of("src/main/c/protocol.h"));
  }

  @Test
  void theHeaderIsReallyRead() throws IOException {
    Map<String, Long> numbers = theirs();
    assertThat(numbers)
        .containsEntry("CALL_ON_EOF", 0xff04L)
        .containsEntry("struct call", 64L)
        .hasSizeGreaterThan(20);
  }
}
