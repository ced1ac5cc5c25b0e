package io.jrun.runtime.container;

import io.jrun.image.commands.ContainerBundles;
import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.runtime.cli.CreateOptions;

/// A bundle that was just made of an image: its config need not be read.
record ImageBundleSource(ContainerBundles.Made made) implements Bundle.Source {
  @Override
  public void complete() {
    made.writeConfig();
  }

  @Override
  public Bundle.Asked ask(ClientProcess client, PseudoCall.OnEof undoing) {
    String path = made.directory().toString();
    Batch batch = new Batch();
    batch.add(undoing);
    batch.add(new ProcessCall.Chdir(path));
    Pending<byte[]> cgroups = Bundle.askOwnCgroups(batch);
    Reply reply = client.helper.send(batch);
    return new Bundle.Asked() {
      @Override
      public Bundle await(Configs configs, CreateOptions options) {
        String own = Bundle.ownCgroups(client, reply.await().of(cgroups));
        byte[] bytes = configs.annotated(made.text(), options.additions());
        return bytes == made.text()
            ? Bundle.made(path, bytes, made.config(), configs, own)
            : Bundle.of(path, bytes, configs, own);
      }

      @Override
      public void drop() {
        Bundle.drop(reply);
      }
    };
  }
}
