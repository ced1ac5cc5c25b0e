package io.jrun.runtime.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignalNameTest {
  @ParameterizedTest
  @CsvSource({
    "TERM,15",
    "SIGTERM,15",
    "sigterm,15",
    "Kill,9",
    "9,9",
    "0,0",
    "64,64",
    "RTMIN,34",
    "RTMAX,64",
    "SIGRTMIN+3,37",
    "rtmax-1,63",
    "RTMIN+30,64",
    "IOT,6",
    "POLL,29",
    "WINCH,28",
    "SYS,31"
  })
  void namesAndNumbersAreKnown(String text, int signal) {
    assertThat(SignalName.parse(text)).isEqualTo(signal);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "SIG",
        "FOO",
        "65",
        "-1",
        "-9",
        "99999999999",
        "RTMIN+31",
        "RTMIN+",
        "RTMIN+-1",
        "RTMAX-31",
        "SIG9",
        "RTMIN+4294967297",
        "TERM+1"
      })
  void anythingElseIsRefused(String text) {
    assertThatThrownBy(() -> SignalName.parse(text))
        .isInstanceOf(CommandFailure.class)
        .hasMessage("unknown signal \"" + text + "\"");
  }
}
