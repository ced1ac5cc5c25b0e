package io.jrun.kernel.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class AccountsTest {
  @Test
  void usersHaveTheNamesOfPasswd() throws IOException {
    for (String line : Files.readAllLines(Path.of("/etc/passwd"))) {
      String[] fields = line.split(":");
      if (!fields[0].equals("root") && !fields[0].equals("nobody")) continue;
      assertThat(Accounts.userName(Integer.parseInt(fields[2]))).contains(fields[0]);
    }
  }

  @Test
  void aNumberThatNobodyHasIsNameless() {
    assertThat(Accounts.userName(2_000_000_123)).isEmpty();
  }
}
