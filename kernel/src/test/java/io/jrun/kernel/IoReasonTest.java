package io.jrun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IoReasonTest {
  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path directory;

  private static String reason(ThrowingCallable operation) {
    return IoReason.of(catchThrowableOfType(IOException.class, operation));
  }

  @Test
  void isTheKernelsWord() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    assertThat(reason(() -> Files.readString(directory.resolve("none"))))
        .isEqualTo("no such file or directory");
    assertThat(reason(() -> Files.createFile(file))).isEqualTo("file exists");
    assertThat(reason(() -> Files.list(file))).isEqualTo("not a directory");
    assertThat(reason(() -> Files.delete(directory))).isEqualTo("directory not empty");
    assertThat(reason(() -> Files.readString(file.resolve("x")))).isEqualTo("not a directory");
    assertThat(reason(() -> Files.readString(directory))).isEqualTo("is a directory");
  }

  @Test
  void ofOthersItIsTheirMessage() {
    assertThat(IoReason.of(new IOException("Broken pipe"))).isEqualTo("broken pipe");
    assertThat(IoReason.of(new IOException("EOF in a header"))).isEqualTo("EOF in a header");
    assertThat(IoReason.of(new IOException())).isEqualTo("IOException");
  }
}
