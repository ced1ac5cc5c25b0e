package io.jrun.runtime.shim;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.host.HostKernel;
import io.jrun.kernel.wire.KeeperExit;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A pod's journal, written by one engine and read by the next.
class PodTest {
  private static final int STATUS_3 = 3 << 8;

  @TempDir Path directory;

  private final List<String> told = new ArrayList<>();

  @BeforeEach
  void noExits() throws IOException {
    Files.createFile(directory.resolve("exits"));
  }

  private Pod pod() {
    return new Pod(
        new HostKernel(),
        directory,
        new Pod.Listener() {
          @Override
          public void happened(PodEvent event) {
            told.add(event.topic());
          }

          @Override
          public void ended(TaskProcess process) {
            told.add("ended " + process.id + process.execId);
          }

          @Override
          public void initReaped(TaskProcess init) {
            told.add("reaped " + init.id);
          }

          @Override
          public void emptied() {
            told.add("emptied");
          }

          @Override
          public void writtenDown(long sequence) {}

          @Override
          public long eventsTaken() {
            return told.stream().filter(t -> t.startsWith("/tasks/")).count();
          }
        });
  }

  private static Line line(Line.What what, String execId) {
    return Line.of(what, "c", execId);
  }

  private static void running(Pod pod) {
    pod.record(line(Line.What.CREATE, "").with("bundle", "/b").with("place", 512));
    pod.record(line(Line.What.CREATED, "").with("pid", 10).with("exits", 5));
    pod.record(line(Line.What.STARTING, ""));
    pod.record(line(Line.What.STARTED, ""));
  }

  /// The answer to its Delete may be written while the next Create is performed.
  @Test
  void whatIsForgottenLateIsNotTheNextOneOfItsId() {
    Pod pod = pod();
    running(pod);
    TaskProcess first = pod.find("c", "").orElseThrow();
    pod.forget(first);
    assertThat(pod.find("c", "")).isEmpty();
    running(pod);
    pod.forget(first);
    assertThat(pod.find("c", "")).isPresent();
    assertThat(pod().find("c", "")).as("of the next engine").isPresent();
  }

  private static void exec(Pod pod, int pid) {
    pod.record(line(Line.What.EXEC, "e").with("place", 520));
    pod.record(line(Line.What.STARTING, "e"));
    pod.record(line(Line.What.BORN, "e").with("pid", pid).with("exits", 5));
  }

  private static KeeperExit exit(long sequence, int pid) {
    return new KeeperExit(sequence, pid, STATUS_3, Instant.EPOCH.plusSeconds(9), true);
  }

  @Test
  void processesThatBeginAtTheSameTimeHavePlacesOfTheirOwn() throws InterruptedException {
    try (Pod pod = pod()) {
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        String container = "c" + t;
        threads.add(
            Thread.ofPlatform()
                .start(() -> {
                  for (int i = 0; i < 8; i++)
                    assertThat(
                            pod.recordPlaced(
                                Line.of(Line.What.EXEC, container, "e" + i), 512, 256, 8))
                        .isTrue();
                }));
      }
      for (Thread thread : threads) thread.join();
      assertThat(pod.all(p -> true))
          .extracting(TaskProcess::place)
          .hasSize(32)
          .doesNotHaveDuplicates();
      assertThat(pod.recordPlaced(line(Line.What.EXEC, "more"), 512, 256, 8)).isFalse();
    }
  }

  @Test
  void theNextEngineKnowsWhatThisOneKnew() {
    try (Pod pod = pod()) {
      running(pod);
    }
    try (Pod pod = pod()) {
      TaskProcess init = pod.find("c", "").orElseThrow();
      assertThat(init.pid).isEqualTo(10);
      assertThat(init.isStarted).isTrue();
      assertThat(pod.events().stream().map(PodEvent::topic))
          .containsExactly("/tasks/create", "/tasks/start");
      assertThat(pod.recordPlaced(line(Line.What.EXEC, "next"), 512, 16, 8)).isTrue();
      assertThat(pod.find("c", "next").orElseThrow().place()).isEqualTo(520);
    }
  }

  @Test
  void thatTheLastTaskIsForgottenIsTold() {
    try (Pod pod = pod()) {
      pod.record(line(Line.What.CREATE, ""));
      pod.record(Line.of(Line.What.CREATE, "other", ""));
      pod.record(Line.of(Line.What.EXEC, "other", "e"));
      pod.record(line(Line.What.FORGOTTEN, ""));
      pod.record(Line.of(Line.What.FORGOTTEN, "other", "e"));
      assertThat(told).doesNotContain("emptied");
      pod.record(Line.of(Line.What.FORGOTTEN, "other", ""));
      assertThat(told).containsOnlyOnce("emptied");
    }
  }

  @Test
  void aLineThatWasCutCountsForNothing() throws IOException {
    try (Pod pod = pod()) {
      running(pod);
    }
    Path journal = directory.resolve("journal");
    byte[] whole = Files.readAllBytes(journal);
    for (int size = whole.length; size >= 0; size -= 13) {
      Files.write(journal, Arrays.copyOf(whole, size));
      try (Pod pod = pod()) {
        pod.record(line(Line.What.CREATE, "again"));
      }
      try (Pod pod = pod()) {
        assertThat(pod.find("c", "again")).as("cut to %s", size).isPresent();
      }
    }
  }

  @Test
  void anExitOfBeforeIsAnothers() {
    try (Pod pod = pod()) {
      running(pod);
      pod.reaped(exit(4, 10));
      assertThat(pod.find("c", "").orElseThrow().hasExited).isFalse();
      pod.reaped(exit(6, 10));
      TaskProcess init = pod.find("c", "").orElseThrow();
      assertThat(init.hasExited).isTrue();
      assertThat(init.exitStatus).isEqualTo(3);
    }
  }

  @Test
  void initsEndIsToldAfterAllOthersAndNoEndBeforeItsStart() {
    try (Pod pod = pod()) {
      running(pod);
      exec(pod, 11);
      pod.reaped(exit(6, 10));
      pod.reaped(exit(7, 11));
      assertThat(told).doesNotContain("ended c", "ended ce");
      pod.record(line(Line.What.STARTED, "e"));
      pod.settle();
      assertThat(told)
          .endsWith("/tasks/exec-started", "/tasks/exit", "ended ce", "/tasks/exit", "ended c");
    }
  }

  @Test
  void exitsOfWhileThereWasNoEngineAreCaughtUpWith() throws IOException {
    try (Pod pod = pod()) {
      running(pod);
    }
    ByteBuffer record = ByteBuffer.allocate(32).order(ByteOrder.nativeOrder());
    record.putLong(6).putInt(10).putInt(STATUS_3).putLong(1000).putInt(5).putInt(1);
    Files.write(directory.resolve("exits"), record.array(), StandardOpenOption.APPEND);
    told.clear();
    try (Pod pod = pod()) {
      pod.catchUp();
      assertThat(told).containsExactly("reaped c", "/tasks/exit", "ended c");
    }
    told.clear();
    try (Pod pod = pod()) {
      pod.catchUp();
      assertThat(told).as("a second time").isEmpty();
      assertThat(pod.events()).hasSize(3);
    }
  }

  @Test
  void aLongJournalIsWrittenAnewAndItsEventsKeepTheirNumbers() throws IOException {
    long events;
    try (Pod pod = pod()) {
      running(pod);
      for (int i = 0; i < 4000; i++) {
        pod.record(line(Line.What.PAUSED, ""));
        if (i % 2 == 0) pod.record(Line.of(Line.What.EXEC, "c", "e" + i).with("place", 600));
        if (i % 2 == 0) pod.record(Line.of(Line.What.FORGOTTEN, "c", "e" + i));
      }
      events = told.size();
    }
    assertThat(Files.size(directory.resolve("journal"))).isLessThan(3 << 20);
    try (Pod pod = pod()) {
      assertThat(pod.firstEvent()).isPositive();
      assertThat(pod.firstEvent() + pod.events().size()).isEqualTo(events);
      assertThat(pod.find("c", "").orElseThrow().isStarted).isTrue();
    }
  }
}
