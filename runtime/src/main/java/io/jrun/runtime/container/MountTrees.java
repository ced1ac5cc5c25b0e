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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is known of mounts beside the config, by their place there: trees that another process than
/// init has opened, as init has no right to them, and which of them may be passed over.
final class MountTrees implements AutoCloseable {
  private final Map<Integer, OwnedDescriptor> trees = new HashMap<>();

  private final Set<Integer> optional = new HashSet<>();

  /// Lets a mount be passed over where its place is missing and cannot be made.
  void letMiss(int index) {
    optional.add(index);
  }

  boolean isOptional(int index) {
    return optional.contains(index);
  }

  void put(int index, OwnedDescriptor tree) {
    trees.put(index, tree);
  }

  /// Lets a helper open what it sees at a path.
  void open(int index, HelperKernel helper, String path) {
    Batch batch = new Batch();
    Pending<Descriptor> tree =
        batch.add(new MountCall.OpenTree(Descriptor.CWD, path, OPEN_TREE_CLONE, true));
    Results results = helper.run(batch);
    put(index, results.descriptors().getFirst());
    // it came along with the answer, so it is closed only now
    helper.call(new FileCall.Close(results.of(tree)));
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
