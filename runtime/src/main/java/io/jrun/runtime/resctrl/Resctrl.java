package io.jrun.runtime.resctrl;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.runtime.mount.Mountinfo;
import io.jrun.specs.runtime.IntelRdt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A mounted resctrl file system.
public final class Resctrl {
  private static final int CHUNK = 16384;

  private final Kernel kernel;
  private final String top;

  Resctrl(Kernel kernel, String top) {
    this.kernel = kernel;
    this.top = top;
  }

  /// The one of this mount namespace.
  ///
  /// @throws ResctrlException where none is mounted
  public static Resctrl find(Kernel kernel) {
    try {
      for (Mountinfo.Entry mount :
          Mountinfo.parse(Files.readString(Path.of("/proc/self/mountinfo")))) {
        if (mount.type().equals("resctrl")) return new Resctrl(kernel, mount.mountPoint());
      }
    } catch (IOException e) {
      throw new ResctrlException("/linux/intelRdt: looking for a resctrl file system", e);
    }
    throw new ResctrlException(
        "/linux/intelRdt: Intel RDT is not available: no resctrl file system is mounted", null);
  }

  /// The group of a container.
  public ResctrlGroup group(IntelRdt rdt, String id) {
    return new ResctrlGroup(this, rdt, id);
  }

  String top() {
    return top;
  }

  /// Whether the hardware can share out that resource, `L3` or `MB`.
  public boolean controls(String resource) {
    return exists(top + "/info/" + resource);
  }

  boolean exists(String path) {
    try {
      kernel.call(new FileCall.Statx(Descriptor.CWD, path, 0));
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return false;
      throw failed("looking for " + path, e);
    }
  }

  void mkdir(String path) {
    try {
      kernel.call(new FileCall.Mkdirat(Descriptor.CWD, path, 0755));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.EEXIST)) throw failed("making a group", e);
    }
  }

  void write(String path, String text) {
    int flags = FileCall.O_WRONLY | FileCall.O_CLOEXEC;
    try (OwnedDescriptor file = open(path, flags)) {
      kernel.call(new FileCall.Write(file.descriptor(), text.getBytes(StandardCharsets.UTF_8)));
    } catch (KernelException e) {
      throw failed("writing \"" + text.strip() + "\" to " + path, e);
    }
  }

  String read(String path) {
    try (OwnedDescriptor file = open(path, FileCall.O_RDONLY | FileCall.O_CLOEXEC)) {
      byte[] bytes = kernel.call(new FileCall.Read(file.descriptor(), CHUNK));
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (KernelException e) {
      throw failed("reading " + path, e);
    }
  }

  private OwnedDescriptor open(String path, int flags) {
    return OwnedDescriptor.open(kernel, new FileCall.Openat(Descriptor.CWD, path, flags, 0, true));
  }

  /// With what the file system says of its last failure, where it does.
  private ResctrlException failed(String step, KernelException cause) {
    String status = "";
    try (OwnedDescriptor file =
        open(top + "/info/last_cmd_status", FileCall.O_RDONLY | FileCall.O_CLOEXEC)) {
      byte[] bytes = kernel.call(new FileCall.Read(file.descriptor(), CHUNK));
      status = new String(bytes, StandardCharsets.UTF_8).strip();
    } catch (KernelException e) {
      status = "";
    }
    String more = status.isEmpty() || status.equals("ok") ? "" : " (" + status + ")";
    return new ResctrlException("intelRdt: " + step + more, cause);
  }

  /// Removes groups, in that order; those that are gone are as they should be.
  public static void remove(Kernel kernel, List<String> directories) {
    for (String directory : directories) {
      try {
        kernel.call(new FileCall.Unlinkat(Descriptor.CWD, directory, FileCall.AT_REMOVEDIR));
      } catch (KernelException e) {
        if (!e.errno().equals(Errno.ENOENT))
          throw new ResctrlException("intelRdt: removing a group", e);
      }
    }
  }
}
