package io.jrun.cni.ipam;

import io.jrun.cni.address.IpAddress;
import io.jrun.specs.cni.Attachment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Who holds which address, and in what order the others were given back. Addresses never used come
/// first, then those released, the longest unused first.
final class Leases {
  /// When there are more, those released first are forgotten: they are found again when nothing
  /// else is left.
  private static final int MAX_RELEASED = 65536;

  private final Map<IpAddress, Lease> held = new TreeMap<>();
  private final Map<Attachment, List<IpAddress>> byHolder = new HashMap<>();
  private final LinkedHashSet<IpAddress> released = new LinkedHashSet<>();

  /// All that are or have been held.
  private final TreeSet<IpAddress> used = new TreeSet<>();

  void add(Lease lease) {
    Lease before = held.put(lease.address(), lease);
    if (before != null) forget(before);
    byHolder.computeIfAbsent(lease.holder(), h -> new ArrayList<>()).add(lease.address());
    released.remove(lease.address());
    used.add(lease.address());
  }

  void remove(IpAddress address) {
    Lease lease = held.remove(address);
    if (lease != null) forget(lease);
    used.add(address);
    released.remove(address);
    released.add(address);
    if (released.size() > MAX_RELEASED) released.removeFirst();
  }

  private void forget(Lease lease) {
    List<IpAddress> addresses = byHolder.get(lease.holder());
    if (addresses == null) return;
    addresses.remove(lease.address());
    if (addresses.isEmpty()) byHolder.remove(lease.holder());
  }

  boolean isHeld(IpAddress address) {
    return held.containsKey(address);
  }

  List<IpAddress> of(Attachment holder) {
    return List.copyOf(byHolder.getOrDefault(holder, List.of()));
  }

  List<Lease> all() {
    return List.copyOf(held.values());
  }

  List<IpAddress> released() {
    return List.copyOf(released);
  }

  int size() {
    return held.size() + released.size();
  }

  /// The address to give next; none when the range is used up.
  ///
  /// @param after new addresses come from behind it; null for no such bound
  Optional<IpAddress> next(AddressRange range, @Nullable IpAddress after) {
    Predicate<IpAddress> isFree = address -> range.allows(address) && !isHeld(address);
    for (IpAddress at = firstNew(range, after); range.contains(at); at = at.plus(1)) {
      if (isFree.test(at) && !used.contains(at)) return Optional.of(at);
      if (at.equals(range.last())) break;
    }
    Optional<IpAddress> old = released.stream().filter(isFree).findFirst();
    if (old.isPresent()) return old;
    // addresses that a changed range or reservation had left out, or that were forgotten
    for (IpAddress at = range.first(); range.contains(at); at = at.plus(1)) {
      if (isFree.test(at)) return Optional.of(at);
      if (at.equals(range.last())) break;
    }
    return Optional.empty();
  }

  private IpAddress firstNew(AddressRange range, @Nullable IpAddress after) {
    IpAddress newest = used.floor(range.last());
    if (newest == null || !range.contains(newest)) newest = null;
    if (after != null && range.contains(after)) {
      newest = newest == null || newest.compareTo(after) < 0 ? after : newest;
    }
    return newest == null ? range.first() : newest.plus(1);
  }
}
