package io.jrun.cni.ipam;

import io.jrun.cni.CniException;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.file.Replacement;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.LockFile;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The leases of one network, shared by all processes of the machine through a lock.
public final class LeaseStore {
  private final Kernel kernel;
  private final Path directory;
  private final LeaseJournal journal;
  private final List<Lease> reclaimed = new ArrayList<>();
  private boolean isMade;

  public LeaseStore(Kernel kernel, Path directory) {
    this.kernel = kernel;
    this.directory = directory;
    this.journal = new LeaseJournal(kernel, directory.resolve("leases"));
  }

  private LockFile lock() {
    if (!isMade) Replacement.privateDirectory(directory);
    isMade = true;
    return LockFile.exclusive(kernel, directory.resolve("lock"));
  }

  /// What one attachment asks for.
  ///
  /// @param ranges sets of ranges: an address is given from each set
  /// @param wanted addresses asked for by name, each in the set that has it
  /// @param after new addresses come from behind it; null for no such bound
  public record Request(
      Attachment holder,
      String netns,
      List<List<AddressRange>> ranges,
      List<IpAddress> wanted,
      @Nullable IpAddress after) {
    public Request {
      ranges = List.copyOf(ranges);
      wanted = List.copyOf(wanted);
    }
  }

  /// An address and the range that it is of.
  public record Given(IpAddress address, AddressRange range) {}

  /// Gives an address of each set.
  ///
  /// @param adjust changes the request under the lock, by what other files say
  /// @param given is told what was given, under the lock
  public synchronized List<Given> allocate(
      Request request,
      UnaryOperator<Request> adjust,
      java.util.function.Consumer<List<Given>> given) {
    try (LockFile lock = lock()) {
      Leases leases = journal.refresh();
      Request asked = adjust.apply(request);
      List<IpAddress> before = leases.of(asked.holder());
      if (!before.isEmpty()) {
        throw new CniException(
            CniError.INVALID_CONFIG,
            "container "
                + asked.holder().containerId()
                + " has the address "
                + before.getFirst()
                + " for "
                + asked.holder().ifname()
                + " already");
      }
      List<Given> result = new ArrayList<>();
      List<String> lines = new ArrayList<>();
      List<IpAddress> wanted = new ArrayList<>(asked.wanted());
      for (List<AddressRange> set : asked.ranges()) {
        Given one =
            wanted(leases, set, wanted)
                .or(() -> next(leases, set, asked.after()))
                .or(() -> {
                  reclaim(leases);
                  return next(leases, set, asked.after());
                })
                .orElseThrow(() -> exhausted(set));
        result.add(one);
        lines.add(LeaseJournal.line(new Lease(one.address(), asked.holder(), asked.netns())));
      }
      if (!wanted.isEmpty()) {
        throw new CniException(
            CniError.INVALID_CONFIG, "requested address " + wanted.getFirst() + " is of no range");
      }
      journal.append(lines);
      given.accept(result);
      return result;
    }
  }

  private static Optional<Given> wanted(
      Leases leases, List<AddressRange> set, List<IpAddress> wanted) {
    for (AddressRange range : set) {
      for (IpAddress address : wanted) {
        if (!range.subnet().contains(address)) continue;
        if (!range.allows(address)) {
          throw new CniException(
              CniError.INVALID_CONFIG,
              "requested address " + address + " is the gateway's, reserved or outside " + range);
        }
        if (leases.isHeld(address)) {
          throw new CniException(
              CniError.INVALID_CONFIG, "requested address " + address + " is in use");
        }
        wanted.remove(address);
        return Optional.of(new Given(address, range));
      }
    }
    return Optional.empty();
  }

  private static Optional<Given> next(
      Leases leases, List<AddressRange> set, @Nullable IpAddress after) {
    for (AddressRange range : set) {
      Optional<IpAddress> address = leases.next(range, after);
      if (address.isPresent()) return Optional.of(new Given(address.get(), range));
    }
    return Optional.empty();
  }

  private static CniException exhausted(List<AddressRange> set) {
    return new CniException(CniError.TRY_AGAIN_LATER, "no addresses left in " + set);
  }

  /// Frees what belongs to namespaces that are gone, such as those before a reboot.
  private void reclaim(Leases leases) {
    List<String> lines = new ArrayList<>();
    for (Lease lease : leases.all()) {
      if (lease.netns().startsWith("/") && !Files.exists(Path.of(lease.netns()))) {
        lines.add(LeaseJournal.line(lease.address()));
        reclaimed.add(lease);
      }
    }
    if (!lines.isEmpty()) journal.append(lines);
  }

  /// The leases that this process has freed by itself since the last call: whatever else is known
  /// of their holders must be forgotten before others use the addresses.
  public synchronized List<Lease> reclaimed() {
    List<Lease> all = List.copyOf(reclaimed);
    reclaimed.clear();
    return all;
  }

  /// Whether another address could be given of each set.
  public synchronized boolean hasFree(List<List<AddressRange>> ranges) {
    try (LockFile lock = lock()) {
      Leases leases = journal.refresh();
      return ranges.stream().allMatch(set -> next(leases, set, null).isPresent());
    }
  }

  /// Takes back what that attachment holds, and returns it.
  public synchronized List<IpAddress> release(Attachment holder) {
    try (LockFile lock = lock()) {
      List<IpAddress> addresses = journal.refresh().of(holder);
      if (!addresses.isEmpty()) {
        journal.append(addresses.stream().map(LeaseJournal::line).toList());
      }
      return addresses;
    }
  }

  public synchronized List<IpAddress> of(Attachment holder) {
    Optional<Leases> current = journal.current();
    if (current.isPresent()) return current.get().of(holder);
    try (LockFile lock = lock()) {
      return journal.refresh().of(holder);
    }
  }

  /// Takes back what belongs to none of these, and returns it.
  public synchronized List<Lease> retain(Set<Attachment> valid) {
    try (LockFile lock = lock()) {
      List<Lease> gone =
          journal.refresh().all().stream()
              .filter(lease -> !valid.contains(lease.holder()))
              .toList();
      if (!gone.isEmpty()) {
        journal.append(gone.stream().map(lease -> LeaseJournal.line(lease.address())).toList());
      }
      return gone;
    }
  }

  public synchronized List<Lease> leases() {
    try (LockFile lock = lock()) {
      return journal.refresh().all();
    }
  }
}
