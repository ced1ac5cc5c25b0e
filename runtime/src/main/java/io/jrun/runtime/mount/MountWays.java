package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.runtime.Mount;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// The ways to the places of a config's mounts, which may lead over symbolic links of an image,
/// also to what is not there yet (`/etc/resolv.conf` to `../run/systemd/resolve/…`).
///
/// A mount is made only on a way without links, so that what was checked of its destination (that
/// it is not inside /proc) is true of where it goes. Most ways have none; the others are found out
/// by init when their turn comes.
public final class MountWays {
  private static final int MOST_LINKS = 40;

  /// What init makes anew has no links in it.
  private static final Set<String> FRESH =
      Set.of("tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2");

  private MountWays() {}

  /// The mounts, by their places in the config, whose ways must be found out.
  ///
  /// @param engine sees the root file system as init will
  public static Set<Integer> toFind(Kernel engine, String rootfs, List<Mount> mounts) {
    return toFind(mounts, paths -> linked(engine, rootfs, paths));
  }

  /// The same where only init sees the root.
  public static Set<Integer> toFind(HelperKernel init, Descriptor root, List<Mount> mounts) {
    return toFind(mounts, paths -> linked(init, root, paths));
  }

  private static Set<Integer> toFind(
      List<Mount> mounts, Function<List<String>, Set<String>> linked) {
    Map<String, Integer> places = new HashMap<>();
    List<List<Integer>> above = new ArrayList<>();
    List<String> open = new ArrayList<>();
    for (int i = 0; i < mounts.size(); i++) {
      Mount mount = mounts.get(i);
      List<Integer> covering = new ArrayList<>();
      String path = "";
      for (String name : InRoot.components(mount.destination())) {
        path = path.isEmpty() ? name : path + "/" + name;
        Integer earlier = places.get(path);
        if (earlier != null) covering.add(earlier);
      }
      above.add(covering);
      if (covering.isEmpty() && !mustBePlain(mount) && !path.isEmpty()) open.add(path);
      places.put(path, i);
    }
    Set<String> links = open.isEmpty() ? Set.of() : linked.apply(open);
    Set<Integer> found = new HashSet<>();
    for (int i = 0; i < mounts.size(); i++) {
      Mount mount = mounts.get(i);
      if (mustBePlain(mount)) continue;
      boolean isBelowUnknown =
          above.get(i).stream().anyMatch(j -> found.contains(j) || !isFresh(mounts.get(j)));
      if (isBelowUnknown || links.contains(InRoot.relative(mount.destination()))) found.add(i);
    }
    return found;
  }

  /// procfs and sysfs go on no way with links at all (CVE-2019-19921).
  private static boolean mustBePlain(Mount mount) {
    return "proc".equals(mount.type()) || "sysfs".equals(mount.type());
  }

  private static boolean isFresh(Mount mount) {
    String type = mount.type() == null ? "bind" : mount.type();
    MountOptions options = MountOptions.parse(type, mount.options());
    return FRESH.contains(type) && !options.bind() && !options.copyUp();
  }

  private static Set<String> linked(Kernel engine, String rootfs, List<String> paths) {
    Set<String> linked = new HashSet<>();
    try (OwnedDescriptor root =
        OwnedDescriptor.open(engine, FileCall.Openat.existing(rootfs, O_PATH | O_DIRECTORY))) {
      for (String path : paths) if (isLinked(engine, root.descriptor(), path)) linked.add(path);
    } catch (KernelException e) {
      linked.addAll(paths); // init will say why
    }
    return linked;
  }

  private static boolean isLinked(Kernel engine, Descriptor root, String path) {
    try (OwnedDescriptor there = OwnedDescriptor.open(engine, plain(root, path))) {
      return false;
    } catch (KernelException e) {
      return !e.errno().equals(Errno.ENOENT);
    }
  }

  private static Set<String> linked(HelperKernel init, Descriptor root, List<String> paths) {
    Batch batch = new Batch();
    List<Pending<Descriptor>> looks = new ArrayList<>();
    for (String path : paths) {
      Pending<Descriptor> there = batch.attempt(plain(root, path));
      batch.add(new FileCall.Close(there.descriptor()));
      looks.add(there);
    }
    Results results = init.run(batch);
    Set<String> linked = new HashSet<>();
    for (int i = 0; i < paths.size(); i++)
      if (!results.succeeded(looks.get(i)) && results.errno(looks.get(i)) != Errno.ENOENT.value())
        linked.add(paths.get(i));
    return linked;
  }

  private static FileCall.Openat2 plain(Descriptor root, String path) {
    return new FileCall.Openat2(
        root, path, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, false);
  }

  /// The way to a destination without links, as far as it is there.
  ///
  /// @throws IllegalArgumentException where links lead in a circle
  public static String find(HelperKernel init, Descriptor root, String destination) {
    List<String> names = InRoot.components(destination);
    for (int links = 0; links < MOST_LINKS; links++) {
      Batch batch = new Batch();
      List<Pending<String>> targets = new ArrayList<>();
      for (int i = 1; i <= names.size(); i++) {
        FileCall.Openat2 part =
            new FileCall.Openat2(
                root,
                String.join("/", names.subList(0, i)),
                O_PATH | O_NOFOLLOW | O_CLOEXEC,
                0,
                RESOLVE_IN_ROOT,
                false);
        Descriptor there = batch.attempt(part).descriptor();
        targets.add(batch.attempt(new FileCall.Readlinkat(there, "")));
        batch.add(new FileCall.Close(there));
      }
      Results results = init.run(batch);
      int link = 0;
      while (link < names.size() && !results.succeeded(targets.get(link))) link++;
      if (link == names.size()) return "/" + String.join("/", names);
      String target = results.of(targets.get(link));
      String before = target.startsWith("/") ? "" : String.join("/", names.subList(0, link));
      String behind = String.join("/", names.subList(link + 1, names.size()));
      names = InRoot.components(before + "/" + target + "/" + behind);
    }
    throw new IllegalArgumentException(
        "mount destination " + destination + ": ELOOP (" + Errno.ELOOP.text() + ")");
  }
}
