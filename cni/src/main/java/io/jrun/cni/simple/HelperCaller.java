package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.plugin.PluginExecutor;
import io.jrun.cni.plugin.ProcessExecutor;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.Stat;
import io.jrun.specs.cni.CniError;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The caller as a helper: it goes into the namespace and back within one batch.
public final class HelperCaller implements Caller, AutoCloseable {
  private static final long DELEGATE_MILLIS = 60_000;
  private static final Pattern OVERRIDE = Pattern.compile("(?i)CNI_NETNS_OVERRIDE=(1|true)");

  private static final FileCall.Statx OWN =
      new FileCall.Statx(Descriptor.CWD, "/proc/self/ns/net", 0);

  private final Kernel kernel;
  private final HelperKernel helper;
  private final List<String> env;
  private final List<Descriptor> left = new ArrayList<>();
  private @Nullable Entry entry;
  private @Nullable NetlinkSocket host;

  /// @param env the caller's, of which CNI_NETNS_OVERRIDE allows the caller's own namespace
  public HelperCaller(Kernel kernel, HelperKernel helper, List<String> env) {
    this.kernel = kernel;
    this.helper = helper;
    this.env = List.copyOf(env);
  }

  private static Descriptor open(Batch batch, String path, int flags, boolean returned) {
    return batch
        .add(new FileCall.Openat(Descriptor.CWD, path, flags | FileCall.O_CLOEXEC, 0, returned))
        .descriptor();
  }

  private static Pending<Stat> stat(Batch batch, Descriptor file) {
    return batch.add(new FileCall.Statx(file, "", FileCall.AT_EMPTY_PATH));
  }

  /// A way into a namespace that is under way.
  private record Entry(
      String netns,
      Pending<Descriptor> opened,
      Pending<Stat> theirs,
      Pending<Stat> ours,
      Pending<Descriptor> socket,
      Reply reply) {}

  /// Goes into the namespace while the engine does other things; [#enter] then takes it over. One
  /// that was begun before and not used is let go of.
  public void begin(String netns) {
    abandon();
    entry = send(netns);
  }

  private Entry send(String netns) {
    Batch batch = new Batch();
    Pending<Descriptor> opened =
        batch.add(
            new FileCall.Openat(
                Descriptor.CWD, netns, FileCall.O_RDONLY | FileCall.O_CLOEXEC, 0, true));
    Descriptor sandbox = opened.descriptor();
    Descriptor own = open(batch, "/proc/self/ns/net", FileCall.O_RDONLY, false);
    Pending<Stat> theirs = stat(batch, sandbox);
    Pending<Stat> ours = stat(batch, own);
    batch.add(new NamespaceCall.Setns(sandbox, NamespaceCall.CLONE_NEWNET));
    Pending<Descriptor> socket = NetlinkSocket.addTo(batch);
    batch.add(new NamespaceCall.Setns(own, NamespaceCall.CLONE_NEWNET));
    batch.add(new FileCall.Close(own));
    return new Entry(netns, opened, theirs, ours, socket, helper.send(batch));
  }

  @Override
  public NetworkNamespace enter(String netns) {
    Entry begun = entry;
    entry = null;
    return finish(begun != null && begun.netns().equals(netns) ? begun : send(netns));
  }

  private NetworkNamespace finish(Entry begun) {
    Results results;
    try {
      results = begun.reply().await();
    } catch (KernelException e) {
      throw new CniException(
          CniError.INVALID_NETNS,
          "failed to open netns \"" + begun.netns() + "\": " + e.getMessage(),
          e);
    }
    left.add(results.of(begun.opened()));
    OwnedDescriptor namespace = results.descriptors().getFirst();
    if (!results.succeeded(begun.socket())) {
      namespace.close();
      results.of(begun.socket());
    }
    left.add(results.of(begun.socket()));
    OwnedDescriptor made = results.descriptors().get(1);
    NetworkNamespace entered = new NetworkNamespace(namespace, new NetlinkSocket(kernel, made));
    try {
      check(results.of(begun.theirs()), results.of(begun.ours()));
      return entered;
    } catch (RuntimeException e) {
      entered.close();
      throw e;
    }
  }

  private void check(Stat theirs, Stat ours) {
    if (theirs.inode() == ours.inode()
        && env.stream().noneMatch(v -> OVERRIDE.matcher(v).matches())) {
      throw new CniException(
          CniError.INVALID_NETNS, "plugin's netns and netns from CNI_NETNS should not be the same");
    }
    checkHost(ours);
  }

  /// An engine that its client has found is in the client's namespace; one that the client was told
  /// may be elsewhere.
  @Override
  public void checkHost() {
    if (env.stream().anyMatch(variable -> variable.startsWith("JRUN_ENGINE=/")))
      checkHost(helper.call(OWN));
  }

  private void checkHost(Stat ours) {
    if (kernel.call(OWN).inode() != ours.inode()) {
      throw new CniException(
          CniError.INVALID_ENVIRONMENT, "the engine is of another network namespace");
    }
  }

  @Override
  public NetlinkSocket host() {
    if (host == null) host = NetlinkSocket.open(kernel);
    return host;
  }

  /// Lets go of what was begun and not used.
  @Override
  public void close() {
    if (host != null) host.close();
    host = null;
    abandon();
  }

  private void abandon() {
    Entry begun = entry;
    entry = null;
    if (begun == null) return;
    try {
      Results results = begun.reply().await();
      results.descriptors().forEach(OwnedDescriptor::close);
      left.add(results.of(begun.opened()));
      left.add(results.of(begun.socket()));
      closeLeft();
    } catch (KernelException e) {
      // the namespace, which is not needed any more, could not be entered
    }
  }

  @Override
  public void sysctls(String netns, Map<String, String> values) {
    if (values.isEmpty()) return;
    Batch batch = new Batch();
    Descriptor sandbox = open(batch, netns, FileCall.O_RDONLY, false);
    Descriptor own = open(batch, "/proc/self/ns/net", FileCall.O_RDONLY, false);
    batch.add(new NamespaceCall.Setns(sandbox, NamespaceCall.CLONE_NEWNET));
    values.forEach((path, value) -> {
      Descriptor file =
          batch
              .attempt(FileCall.Openat.existing("/proc/sys/" + path, FileCall.O_WRONLY))
              .descriptor();
      batch.attempt(new FileCall.Write(file, value.getBytes(StandardCharsets.UTF_8)));
      batch.attempt(new FileCall.Close(file));
    });
    batch.add(new NamespaceCall.Setns(own, NamespaceCall.CLONE_NEWNET));
    batch.add(new FileCall.Close(sandbox));
    batch.add(new FileCall.Close(own));
    Results results = helper.run(batch);
    // the way back must be gone whatever failed, so failures are looked at afterwards
    for (int i = 3; i < 3 + 3 * values.size(); i++) {
      long value = results.values().get(i);
      if (value < 0 && value != Results.SKIPPED) {
        throw new KernelException(
            batch.entries().get(i).call(), io.jrun.kernel.call.Errno.of((int) -value));
      }
    }
  }

  /// Closes what the caller's own process still holds of the namespaces: a descriptor that comes
  /// with an answer must be open until then. Nobody waits for it, and who ends soon need not be
  /// asked.
  public void closeLeft() {
    if (left.isEmpty()) return;
    Batch batch = new Batch();
    for (Descriptor descriptor : left) batch.add(new FileCall.Close(descriptor));
    left.clear();
    helper.send(batch);
  }

  @Override
  public PluginExecutor delegates() {
    return new ProcessExecutor(kernel, helper, env, DELEGATE_MILLIS);
  }
}
