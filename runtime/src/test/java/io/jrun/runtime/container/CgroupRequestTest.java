package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.runtime.Config;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class CgroupRequestTest {
  private static final String CGROUP =
      "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup','options':['rw']}";
  private static final String OWN = "{'type':'cgroup'}";
  private static final String IDS = "[{'containerID':5,'hostID':7000,'size':10}]";

  private static OptionalInt owner(long uid, String mount, String namespace, String ids) {
    String json =
        ("{'ociVersion':'1.3.0','root':{'path':'r'},'process':{'cwd':'/','args':['x'],'user':{'uid':"
                + uid
                + ",'gid':0}},'mounts':["
                + mount
                + "],'linux':{'namespaces':[{'type':'mount'},{'type':'user'},"
                + namespace
                + "],'uidMappings':"
                + ids
                + ",'gidMappings':"
                + ids
                + "}}")
            .replace('\'', '"');
    return CgroupRequest.owner(Config.read(json.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void aWritableCgroupBelongsToTheProgramsUser() {
    assertThat(owner(6, CGROUP, OWN, IDS)).hasValue(7001);
  }

  @Test
  void otherwiseItStaysTheHosts() {
    assertThat(owner(6, CGROUP.replace("rw", "ro"), OWN, IDS)).isEmpty();
    assertThat(owner(6, CGROUP.replace("/sys/fs/cgroup", "/cgroup"), OWN, IDS)).isEmpty();
    assertThat(owner(6, CGROUP, "{'type':'ipc'}", IDS)).isEmpty();
    assertThat(owner(6, CGROUP, "{'type':'cgroup','path':'/proc/1/ns/cgroup'}", IDS)).isEmpty();
    assertThat(owner(20, CGROUP, OWN, IDS)).isEmpty();
    assertThat(owner(0, CGROUP, OWN, "[]")).isEmpty();
  }
}
