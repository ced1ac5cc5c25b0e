package io.jrun.runtime.container;

import static io.jrun.kernel.call.MountCall.OPEN_TREE_CLONE;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.runtime.mount.RootPropagation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What is known of mounts beside the config, by their place there: trees that another process than
/// init has opened, as init has no right to them, or that another has to map when init has opened
/// them, which of them may be passed over, and whose ways lead over links.
final class MountTrees implements AutoCloseable {
  private final Map<Integer, OwnedDescriptor> trees = new HashMap<>();

  private final Map<Integer, Consumer<OwnedDescriptor>> mappings = new HashMap<>();

  private final Set<Integer> optional = new HashSet<>();

  private Set<Integer> toFind = Set.of();

  /// Lets a mount be passed over where its place is missing and cannot be made.
  void letMiss(int index) {
    optional.add(index);
  }

  boolean isOptional(int index) {
    return optional.contains(index);
  }

  /// Says which mounts' ways init must find.
  void find(Set<Integer> mounts) {
    toFind = Set.copyOf(mounts);
  }

  boolean isToFind(int index) {
    return toFind.contains(index);
  }

  boolean has(int index) {
    return trees.containsKey(index);
  }

  void put(int index, OwnedDescriptor tree) {
    trees.put(index, tree);
  }

  /// Says who gives a tree other ids once init has opened it.
  void map(int index, Consumer<OwnedDescriptor> mapping) {
    mappings.put(index, mapping);
  }

  /// Who does that; null where nobody has to.
  @Nullable Consumer<OwnedDescriptor> mapping(int index) {
    return mappings.get(index);
  }

  /// What a mount binds.
  ///
  /// @param index of the mount in the config
  /// @param isDeep whether the mounts below it come along
  record Source(int index, String path, boolean isDeep) {}

  /// Lets a helper open what it sees.
  void open(HelperKernel helper, List<Source> sources, RootPropagation propagation) {
    for (int from = 0; from < sources.size(); from += Batch.MOST_PASSED)
      openSome(
          helper,
          sources.subList(from, Math.min(sources.size(), from + Batch.MOST_PASSED)),
          propagation);
  }

  private void openSome(HelperKernel helper, List<Source> sources, RootPropagation propagation) {
    Batch batch = new Batch();
    List<Pending<Descriptor>> opened = new ArrayList<>();
    for (Source source : sources) {
      batch.during(
          "opening the mount source " + source.path(),
          () -> opened.add(open(batch, source, propagation)));
    }
    Results results = helper.run(batch);
    Batch closing = new Batch(); // they came along with the answer, so they are closed only now
    for (int i = 0; i < sources.size(); i++) {
      put(sources.get(i).index(), results.descriptors().get(i));
      closing.add(new FileCall.Close(results.of(opened.get(i))));
    }
    helper.run(closing);
  }

  private static Pending<Descriptor> open(Batch batch, Source source, RootPropagation propagation) {
    int flags = OPEN_TREE_CLONE | (source.isDeep() ? FileCall.AT_RECURSIVE : 0);
    Pending<Descriptor> tree =
        batch.add(new MountCall.OpenTree(Descriptor.CWD, source.path(), flags, true));
    propagation.addToOutsideTree(batch, tree.descriptor());
    return tree;
  }

  /// The tree of a mount, by its place in the config; null where it has none.
  @Nullable Descriptor pass(Batch batch, int index) {
    OwnedDescriptor tree = trees.get(index);
    return tree == null ? null : batch.pass(tree);
  }

  @Override
  public void close() {
    List<OwnedDescriptor> owned = new ArrayList<>(trees.values());
    owned.forEach(Claim::close);
  }
}
