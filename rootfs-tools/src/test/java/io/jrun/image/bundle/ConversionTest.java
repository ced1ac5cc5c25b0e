package io.jrun.image.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.DefaultConfig;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConversionTest {
  private static final String IMAGE =
      """
      {"architecture":"amd64","os":"linux","created":"2026-01-01T00:00:00Z","author":"a",
       "config":{"User":"7:8","Env":["A=b"],"Entrypoint":["/e"],"Cmd":["c"],"WorkingDir":"d",
                 "Volumes":{"/v":{}},"ExposedPorts":{"80/tcp":{}},"Labels":{"l":"m"},"StopSignal":"SIGQUIT"},
       "rootfs":{"type":"layers","diff_ids":[]}}
      """;

  /// What is made is not read again before it is used, and its text by later commands.
  @Test
  void aConfigThatIsMadeIsTheOneThatItsTextSays() {
    ImageConfig image = ImageConfig.read("image", IMAGE.getBytes(StandardCharsets.UTF_8));
    Overrides overrides = new Overrides(List.of(), null, List.of("X=y"), null, null, true);
    Adjustments adjustments =
        new Adjustments(
            List.of("/s:/t:ro"),
            List.of("/u:size=1m"),
            "64m",
            "1.5",
            "9",
            List.of("sys_time"),
            List.of("mknod"),
            List.of(),
            "h");
    Config made =
        adjustments.apply(
            Conversion.config(
                DefaultConfig.create(false, 0, 0), image, new Accounts("", ""), overrides, false));
    assertThat(Config.readValid(made.toJson().toText("").getBytes(StandardCharsets.UTF_8)))
        .isEqualTo(made);
  }
}
