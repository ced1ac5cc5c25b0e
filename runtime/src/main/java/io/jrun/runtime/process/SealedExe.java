package io.jrun.runtime.process;

import static io.jrun.kernel.call.FileCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// The helper's binary in a sealed memory file. A process that a container could reach lays it over
/// its own text, so that its /proc/self/exe leads to nothing of the host (CVE-2019-5736).
public final class SealedExe {
  private static final int PROGRAM_HEADERS = 64;
  private static final int PROGRAM_HEADER = 56;
  private static final int PAGE = 4096;

  private final OwnedDescriptor memory;
  private final long textAddress;
  private final long textSize;
  private final long textOffset;
  private final long dataAddress;

  public SealedExe(Kernel kernel, Path binary) throws IOException {
    byte[] bytes = Files.readAllBytes(binary);
    memory =
        new OwnedDescriptor(
            kernel,
            number(kernel.call(new FileCall.MemfdCreate("jrun", MFD_CLOEXEC | MFD_ALLOW_SEALING))));
    for (int at = 0; at < bytes.length; ) {
      at +=
          kernel.call(
              new FileCall.Write(memory.descriptor(), Arrays.copyOfRange(bytes, at, bytes.length)));
    }
    kernel.call(
        new DescriptorCall.Fcntl(
            memory.descriptor(), DescriptorCall.F_ADD_SEALS, DescriptorCall.F_SEAL_ALL));
    ByteBuffer elf = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long offset = elf.getLong(PROGRAM_HEADERS + 8);
    long address = elf.getLong(PROGRAM_HEADERS + 16);
    textOffset = offset / PAGE * PAGE;
    textAddress = address / PAGE * PAGE;
    textSize = (address - textAddress + elf.getLong(PROGRAM_HEADERS + 32) + PAGE - 1) / PAGE * PAGE;
    dataAddress = elf.getLong(PROGRAM_HEADERS + PROGRAM_HEADER + 16);
  }

  private static int number(Descriptor descriptor) {
    return ((Descriptor.Known) descriptor).number();
  }

  /// The calls by which a process exchanges its program; it also becomes undumpable
  /// (CVE-2016-9962).
  public void addTo(Batch batch) {
    Descriptor exe = batch.pass(memory);
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_DUMPABLE, 0, 0, 0, 0));
    batch.add(
        new ProcessCall.Mmap(
            textAddress,
            textSize,
            ProcessCall.PROT_READ_EXEC,
            ProcessCall.MAP_PRIVATE_FIXED,
            exe,
            textOffset));
    batch.add(new DescriptorCall.Dup3(exe, EXE_DESCRIPTOR, O_CLOEXEC));
    batch.add(
        new CredentialCall.ReplaceExe(
            new Descriptor.Known(EXE_DESCRIPTOR),
            textAddress,
            textAddress + textSize,
            dataAddress));
    batch.add(new DescriptorCall.CloseRange(EXE_DESCRIPTOR, EXE_DESCRIPTOR, 0));
    batch.add(new FileCall.Close(exe));
  }

  /// A number that no descriptor of a freshly born helper has.
  private static final int EXE_DESCRIPTOR = 200;
}
