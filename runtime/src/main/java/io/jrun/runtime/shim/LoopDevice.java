package io.jrun.runtime.shim;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// A loop device with a file behind it (loop(4)). With LO_FLAGS_AUTOCLEAR the kernel takes the file
/// away again when nobody has the device open and nothing of it is mounted any more: neither a
/// worker that dies nor an unmount can leave one.
///
/// @param descriptor of the worker, which keeps it until it is mounted
record LoopDevice(String path, Descriptor descriptor) {
  private static final String CONTROL = "/dev/loop-control";
  private static final int TRIES = 100;
  private static final int PAUSE_MILLIS = 10;

  /// Puts the file behind a device that is free, whoever else wants that one at the same time.
  ///
  /// @param flags LO_FLAGS_*
  static LoopDevice attach(HelperKernel worker, String file, int flags) {
    int mode = (flags & IoctlCall.LO_FLAGS_READ_ONLY) != 0 ? FileCall.O_RDONLY : FileCall.O_RDWR;
    Descriptor source = worker.call(FileCall.Openat.existing(file, mode));
    for (int tried = 1; tried <= TRIES; tried++) {
      String path = "/dev/loop" + free(worker);
      Batch batch = new Batch();
      // one that its last user just leaves cannot be opened
      Pending<Descriptor> device = batch.add(FileCall.Openat.existing(path, mode), Errno.ENXIO);
      Pending<Integer> configured =
          batch.add(
              new IoctlCall.LoopConfigure(device.descriptor(), source, file, flags), Errno.EBUSY);
      batch.addIfDone(configured, new FileCall.Close(source));
      batch.addIfFailed(configured, Errno.EBUSY, new FileCall.Close(device.descriptor()));
      Results results = worker.run(batch);
      if (results.succeeded(configured)) return new LoopDevice(path, results.of(device));
      int millis = ThreadLocalRandom.current().nextInt(tried * PAUSE_MILLIS);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }
    throw RpcException.unknown(
        "others took the loop device that was free for " + file + ", " + TRIES + " times");
  }

  private static int free(HelperKernel worker) {
    Batch batch = new Batch();
    Descriptor control = batch.add(FileCall.Openat.existing(CONTROL, FileCall.O_RDWR)).descriptor();
    Pending<Integer> number =
        batch.add(new IoctlCall.Ioctl(control, IoctlCall.LOOP_CTL_GET_FREE, 0, false));
    batch.add(new FileCall.Close(control));
    return worker.run(batch).of(number);
  }
}
