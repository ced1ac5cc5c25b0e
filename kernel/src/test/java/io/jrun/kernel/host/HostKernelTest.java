package io.jrun.kernel.host;

import static io.jrun.kernel.call.FileCall.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Received;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Stat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The real kernel, as far as it needs no privilege.
class HostKernelTest {
  @TempDir Path directory;

  private final Kernel kernel = new HostKernel();

  private OwnedDescriptor open(String name, int flags) {
    Descriptor opened =
        kernel.call(
            new FileCall.Openat(
                Descriptor.CWD,
                directory.resolve(name).toString(),
                flags | O_CLOEXEC,
                0600,
                false));
    return new OwnedDescriptor(kernel, opened);
  }

  @Test
  void writesReadsAndDescribesAFile() {
    byte[] bytes = "hello".getBytes(StandardCharsets.UTF_8);
    try (OwnedDescriptor file = open("f", O_RDWR | O_CREAT | O_EXCL)) {
      assertThat(kernel.call(new FileCall.Write(file.descriptor(), bytes))).isEqualTo(5);
      assertThat(kernel.call(new FileCall.Pread(file.descriptor(), 100, 1)))
          .isEqualTo("ello".getBytes(StandardCharsets.UTF_8));
      assertThat(kernel.call(new FileCall.Read(file.descriptor(), 100))).isEmpty();
      Stat stat = kernel.call(new FileCall.Statx(file.descriptor(), "", AT_EMPTY_PATH));
      assertThat(stat.size()).isEqualTo(5);
      assertThat(stat.mode()).isEqualTo(Stat.S_IFREG | 0600);
      assertThat(stat.isDirectory()).isFalse();
    }
    assertThat(directory.resolve("f")).hasContent("hello");
  }

  @Test
  void describesDevicesAndDirectories() {
    assertThat(
            kernel.call(new FileCall.Statx(Descriptor.CWD, "/dev/null", 0)).isCharacterDevice(1, 3))
        .isTrue();
    assertThat(
            kernel.call(new FileCall.Statx(Descriptor.CWD, directory.toString(), 0)).isDirectory())
        .isTrue();
  }

  @Test
  void aRefusalCarriesTheCallAndItsErrno() {
    String missing = directory.resolve("missing").toString();
    assertThatThrownBy(() -> open("missing", O_RDONLY))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
        .hasMessage(
            "openat(AT_FDCWD, \""
                + missing
                + "\", O_RDONLY|O_CLOEXEC, 0600): ENOENT (no such file or directory)");
    assertThatThrownBy(() -> kernel.call(new FileCall.Read(Descriptor.NONE, 1)))
        .hasMessage("read(-1, <out 1>, 1): EBADF (bad file descriptor)");
  }

  @Test
  void moreDataThanTheScratchHoldsGoesBothWays() throws Exception {
    byte[] bytes = new byte[1 << 20];
    new Random(1).nextBytes(bytes);
    try (OwnedDescriptor file = open("big", O_RDWR | O_CREAT)) {
      assertThat(kernel.call(new FileCall.Write(file.descriptor(), bytes))).isEqualTo(bytes.length);
      assertThat(kernel.call(new FileCall.Pread(file.descriptor(), bytes.length + 5, 0)))
          .isEqualTo(bytes);
      assertThat(kernel.call(new FileCall.Pread(file.descriptor(), 10, 0))).hasSize(10);
    }
    assertThat(Files.readAllBytes(directory.resolve("big"))).isEqualTo(bytes);
  }

  @Test
  void linksAreReadAndDirectoriesListed() throws Exception {
    try (OwnedDescriptor parent = open(".", O_RDONLY | O_DIRECTORY)) {
      kernel.call(new FileCall.Symlinkat("to/there", parent.descriptor(), "link"));
      kernel.call(new FileCall.Mkdirat(parent.descriptor(), "made", 0700));
      assertThat(kernel.call(new FileCall.Readlinkat(parent.descriptor(), "link")))
          .isEqualTo("to/there");
      String entries =
          new String(
              kernel.call(new FileCall.Getdents(parent.descriptor())), StandardCharsets.ISO_8859_1);
      assertThat(entries).contains("link\0", "made\0");
      kernel.call(new FileCall.Unlinkat(parent.descriptor(), "made", AT_REMOVEDIR));
    }
    assertThat(directory.resolve("made")).doesNotExist();
  }

  @Test
  void descriptorsTravelOverASocket() {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    try (OwnedDescriptor left = new OwnedDescriptor(kernel, pair.get(0));
        OwnedDescriptor right = new OwnedDescriptor(kernel, pair.get(1));
        OwnedDescriptor file = open("sent", O_RDWR | O_CREAT)) {
      byte[] message = {1, 2, 3};
      List<Integer> sent = List.of(file.number(), file.number(), file.number());
      kernel.call(new SocketCall.Sendmsg(left.descriptor(), message, sent, 0));
      Received received =
          kernel.call(
              new SocketCall.Recvmsg(right.descriptor(), 1000, SocketCall.MSG_CMSG_CLOEXEC));
      assertThat(received.bytes()).isEqualTo(message);
      assertThat(received.descriptors()).hasSize(3).doesNotContain(file.number());
      kernel.call(new FileCall.Write(new Descriptor.Known(received.descriptors().get(2)), message));
      for (int number : received.descriptors())
        kernel.call(new FileCall.Close(new Descriptor.Known(number)));
    }
    assertThat(directory.resolve("sent")).hasSize(3);
  }

  @Test
  void aResultOfABatchIsRefusedOutsideOfOne() {
    assertThatThrownBy(() -> kernel.call(new FileCall.Close(new Descriptor.ResultOf(0))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("close(#0)");
  }

  @Test
  void anOwnedDescriptorClosesOnceAndNotAfterItsRelease() {
    OwnedDescriptor file = open("o", O_RDWR | O_CREAT);
    Descriptor number = file.descriptor();
    assertThat(file.release()).isEqualTo(((Descriptor.Known) number).number());
    file.close();
    OwnedDescriptor again = new OwnedDescriptor(kernel, number);
    again.close();
    again.close();
    assertThatThrownBy(again::number).hasMessage("descriptor is closed");
  }

  @Test
  void aDiscardedArrayIsOfZerosAndItsNeighboursAreNot() throws IOException {
    HostKernel host = new HostKernel();
    Process getconf = new ProcessBuilder("getconf", "PAGESIZE").start();
    int page = Integer.parseInt(getconf.inputReader().readLine());
    for (int size : List.of(5000, 8192, 100_000, 1 << 20)) {
      byte[] before = filled(size);
      byte[] array = filled(size);
      byte[] after = filled(size);
      host.discard(array);
      int zeros = 0;
      for (byte b : array) if (b == 0) zeros++;
      assertThat(zeros).isEqualTo(Math.max(0, size - page & -page));
      assertThat(before).isEqualTo(filled(size));
      assertThat(after).isEqualTo(filled(size));
    }
  }

  private static byte[] filled(int size) {
    byte[] array = new byte[size];
    Arrays.fill(array, (byte) 7);
    return array;
  }

  @Test
  void whatMallocHasFreeIsGivenBack() {
    new HostKernel().trim();
  }

  @Test
  void largeCallsOfManyThreadsHaveMemoryOfTheirOwn() throws Exception {
    int size = 100_000;
    List<Thread> threads = new ArrayList<>();
    List<byte[]> found = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 4; i++) {
      Path file = directory.resolve("large" + i);
      byte[] bytes = new byte[size];
      Arrays.fill(bytes, (byte) i);
      Files.write(file, bytes);
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < 50; n++) {
                  try (OwnedDescriptor open = open(file.getFileName().toString(), O_RDONLY)) {
                    byte[] read = kernel.call(new FileCall.Read(open.descriptor(), size));
                    if (!Arrays.equals(read, bytes)) found.add(read);
                  }
                }
              }));
    }
    for (Thread thread : threads) thread.join();
    assertThat(found).as("of the bytes of another call").isEmpty();
  }
}
