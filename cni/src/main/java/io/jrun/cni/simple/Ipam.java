package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.PluginInput;
import io.jrun.cni.plugin.Verb;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.json.SpecException;

/// Where addresses come from.
sealed interface Ipam permits Ipam.Delegated, OwnIpam {
  Assignment add();

  /// What was given to the attachment is free afterwards; it may be nothing.
  void delete();

  /// @throws CniException when the attachment has nothing
  void check();

  void gc();

  /// @throws CniException when nothing can be given
  void status();

  /// Another plugin, with the same environment and the whole configuration.
  record Delegated(SimpleConfig config, PluginCall call, PluginInput input, Caller caller)
      implements Ipam {
    private byte[] run(Verb verb) {
      PluginCall same =
          new PluginCall(
              verb, call.containerId(), call.netns(), call.ifname(), call.args(), call.path());
      return caller.delegates().execute(type(), same, input);
    }

    private String type() {
      if (config.ipamType() == null) throw new IllegalStateException("nothing to delegate to");
      return config.ipamType();
    }

    @Override
    public Assignment add() {
      byte[] out;
      try {
        out = run(Verb.ADD);
        return Assignment.of(
            config, CniResult.read("the result of " + type(), out, config.version()));
      } catch (CniException | SpecException e) {
        undo(e);
        throw e instanceof CniException known
            ? known
            : new CniException(CniError.DECODING_FAILURE, String.valueOf(e.getMessage()), e);
      }
    }

    private void undo(RuntimeException cause) {
      try {
        run(Verb.DEL);
      } catch (RuntimeException e) {
        cause.addSuppressed(e);
      }
    }

    @Override
    public void delete() {
      run(Verb.DEL);
    }

    @Override
    public void check() {
      run(Verb.CHECK);
    }

    @Override
    public void gc() {
      run(Verb.GC);
    }

    @Override
    public void status() {
      run(Verb.STATUS);
    }
  }

  /// Whose addresses a call is about.
  static Attachment holder(PluginCall call) {
    return new Attachment(call.containerId(), call.ifname());
  }
}
