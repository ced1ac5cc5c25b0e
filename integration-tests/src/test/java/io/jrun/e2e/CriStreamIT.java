package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The kubelet's streams: exec, attach and port-forward.
class CriStreamIT extends CriTest {

  private WebSocketStream open(String method, String request) throws IOException {
    return new WebSocketStream(containerd, cri.call(method, request).get("url").asString());
  }

  @Test
  void execWithInputOutputAndStatus() throws IOException {
    Pod pod = run(podConfig());
    Container container = pod.start("target", "sleep", "1000");
    try (WebSocketStream stream =
        open(
            "Exec",
            "{container_id:'%s',cmd:['sh','-c','read x; echo got-$x; echo problem >&2; exit 6'],stdin:true,stdout:true,stderr:true}"
                .formatted(container.id))) {
      stream.send(WebSocketStream.STDIN, "word\n");
      assertThat(stream.toEnd(WebSocketStream.STDOUT)).isEqualTo("got-word\n");
      assertThat(stream.said(WebSocketStream.STDERR)).isEqualTo("problem\n");
      assertThat(stream.said(WebSocketStream.ERROR)).contains("NonZeroExitCode", "\"6\"");
    }
  }

  @Test
  void execOnATerminal() throws IOException {
    Pod pod = run(podConfig());
    Container container = pod.start("target", "sleep", "1000");
    try (WebSocketStream stream =
        open(
            "Exec",
            "{container_id:'%s',cmd:['sh'],tty:true,stdin:true,stdout:true}"
                .formatted(container.id))) {
      stream.send(WebSocketStream.RESIZE, "{\"Width\":91,\"Height\":37}");
      stream.until(WebSocketStream.STDOUT, "# ");
      stream.send(
          WebSocketStream.STDIN,
          "until stty size | grep -q 91; do sleep 0.1; done; stty size; exit\n");
      assertThat(stream.toEnd(WebSocketStream.STDOUT)).contains("37 91");
      assertThat(stream.said(WebSocketStream.ERROR)).contains("Success");
    }
  }

  @Test
  void attachTalksToTheProgram() throws IOException {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("talker", "sh", "-c", "while read x; do echo heard-$x; done")
                .set("/stdin", "true"));
    for (int i = 0; i < 2; i++) {
      try (WebSocketStream stream =
          open(
              "Attach",
              "{container_id:'%s',stdin:true,stdout:true,stderr:true}".formatted(container.id))) {
        stream.send(WebSocketStream.STDIN, "word" + i + "\n");
        assertThat(stream.until(WebSocketStream.STDOUT, "heard-word" + i))
            .contains("heard-word" + i);
      }
    }
    // containerd writes its log beside the streams
    List<String> heard = List.of("stdout F heard-word0", "stdout F heard-word1");
    EndToEnd.eventually(() -> container.logLines().containsAll(heard));
    assertThat(container.logLines()).containsAll(heard);
  }

  /// `stdin once`: the first client's end is the end of the input.
  @Test
  void inputThatIsGivenOnceEndsWithItsClient() throws IOException {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("once", "sh", "-c", "cat; echo ended; exit 3")
                .set("/stdin", "true")
                .set("/stdin_once", "true"));
    try (WebSocketStream stream =
        open("Attach", "{container_id:'%s',stdin:true,stdout:true}".formatted(container.id))) {
      stream.send(WebSocketStream.STDIN, "word\n");
      stream.until(WebSocketStream.STDOUT, "word\n");
    }
    container.awaitExit();
    assertThat(container.status().get("exit_code").asInt()).isEqualTo(3);
    assertThat(container.logLines()).containsExactly("stdout F word", "stdout F ended");
  }

  @Test
  void attachAtATerminal() throws IOException {
    Pod pod = run(podConfig());
    Container container =
        pod.start(pod.containerConfig("shell", "sh").set("/stdin", "true").set("/tty", "true"));
    try (WebSocketStream stream =
        open(
            "Attach",
            "{container_id:'%s',stdin:true,stdout:true,tty:true}".formatted(container.id))) {
      stream.send(WebSocketStream.STDIN, "test -t 1 && echo is''tty\n");
      assertThat(stream.until(WebSocketStream.STDOUT, "istty")).contains("istty");
      stream.send(WebSocketStream.STDIN, "exit 4\n");
      container.awaitExit();
    }
    assertThat(container.status().get("exit_code").asInt()).isEqualTo(4);
  }

  @Test
  void aForwardedPortReachesThePod() throws IOException {
    Pod pod = run(podConfig());
    pod.start("server", "sh", "-c", "while :; do echo through | nc -l -p 8080; done");
    pod.start(
            "probe",
            "sh",
            "-c",
            "until grep -q ':1F90 .* 0A ' /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done")
        .awaitExit();
    try (WebSocketStream stream =
        open("PortForward", "{pod_sandbox_id:'%s',port:[8080]}".formatted(pod.id))) {
      assertThat(stream.until(0, "through")).contains("through");
    }
  }
}
