package io.jrun.specs.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Problem;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ConfigValidatorTest {
  /// Each row: the members of a config beside a version and a root, with ' for ", and the pointer
  /// refused.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'process':{'cwd':'/'} | /process/args",
        "'process':{'cwd':'a','args':['x']} | /process/cwd",
        "'process':{'cwd':'','args':['x']} | /process/cwd",
        "'process':{'cwd':'/','args':['x\\u0000']} | /process/args/0",
        "'process':{'cwd':'/','args':['x'],'user':{'uid':4294967295}} | /process/user/uid",
        "'process':{'cwd':'/','args':['x'],'oomScoreAdj':1001} | /process/oomScoreAdj",
        "'process':{'cwd':'/','args':['x'],'rlimits':[{'type':'RLIMIT_X','soft':1,'hard':1}]} |"
            + " /process/rlimits/0/type",
        "'process':{'cwd':'/','args':['x'],'rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':1},"
            + "{'type':'RLIMIT_AS','soft':1,'hard':1}]} | /process/rlimits/1/type",
        "'process':{'cwd':'/','args':['x'],'rlimits':[{'type':'RLIMIT_AS',"
            + "'soft':18446744073709551615,'hard':1}]} | /process/rlimits/0/soft",
        "'process':{'cwd':'/','args':['x'],'scheduler':{'policy':'X'}} | /process/scheduler/policy",
        "'process':{'cwd':'/','args':['x'],'ioPriority':{'class':'X'}} | /process/ioPriority/class",
        "'process':{'cwd':'/','args':['x'],'execCPUAffinity':{'final':'x'}} |"
            + " /process/execCPUAffinity/final",
        "'mounts':[{'destination':''}] | /mounts/0/destination",
        "'mounts':[{'source':'a'}] | /mounts/0/destination",
        "'hooks':{'poststop':[{'path':'a'}]} | /hooks/poststop/0/path",
        "'hooks':{'prestart':[{'path':'/a','timeout':0}]} | /hooks/prestart/0/timeout",
        "'hostname':'a' | /hostname",
        "'domainname':'a' | /domainname",
        "'linux':{'namespaces':[{'type':'x'}]} | /linux/namespaces/0/type",
        "'linux':{'namespaces':[{'type':'pid'},{'type':'pid'}]} | /linux/namespaces/1/type",
        "'linux':{'namespaces':[{'type':'pid','path':'x'}]} | /linux/namespaces/0/path",
        "'linux':{'uidMappings':[{'containerID':0,'hostID':0,'size':1}]} | /linux/uidMappings",
        "'linux':{'timeOffsets':{'boottime':{'secs':1}}} | /linux/timeOffsets",
        "'linux':{'namespaces':[{'type':'time'}],'timeOffsets':{'x':{}}} | /linux/timeOffsets/x",
        "'linux':{'devices':[{'type':'x','path':'/dev/x'}]} | /linux/devices/0/type",
        "'linux':{'devices':[{'type':'c','path':'x'}]} | /linux/devices/0/path",
        "'linux':{'rootfsPropagation':'x'} | /linux/rootfsPropagation",
        "'linux':{'sysctl':{'kernel.sem':'1'}} | /linux/sysctl/kernel.sem",
        "'linux':{'sysctl':{'net/ipv4/x':'1'}} | /linux/sysctl/net~1ipv4~1x",
        "'linux':{'sysctl':{'fs.mqueue.x':'1'}} | /linux/sysctl/fs.mqueue.x",
        "'linux':{'sysctl':{'kernel.domainname':'1'}} | /linux/sysctl/kernel.domainname",
        "'linux':{'sysctl':{'vm.swappiness':'1'}} | /linux/sysctl/vm.swappiness",
        "'linux':{'sysctl':{'user.max_net_namespaces':'1'}} | /linux/sysctl/user.max_net_namespaces",
        "'linux':{'namespaces':[{'type':'network'}],'sysctl':{'net/../kernel/panic':'1'}} |"
            + " /linux/sysctl/net~1..~1kernel~1panic",
        "'linux':{'namespaces':[{'type':'network'}],'sysctl':{'net.//.kernel.panic':'1'}} |"
            + " /linux/sysctl/net.~1~1.kernel.panic",
        "'linux':{'namespaces':[{'type':'network'}],'sysctl':{'net..x':'1'}} |"
            + " /linux/sysctl/net..x",
        "'linux':{'namespaces':[{'type':'uts'}],'sysctl':{'kernel.hostname':'1'}} |"
            + " /linux/sysctl/kernel.hostname",
        "'linux':{'namespaces':[{'type':'mount'}],'maskedPaths':['x']} | /linux/maskedPaths/0",
        "'linux':{'namespaces':[{'type':'mount'}],'readonlyPaths':['x']} | /linux/readonlyPaths/0",
        "'linux':{'maskedPaths':['/x']} | /linux/maskedPaths",
        "'linux':{'seccomp':{'defaultAction':'x'}} | /linux/seccomp/defaultAction",
        "'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','architectures':['x']}} |"
            + " /linux/seccomp/architectures/0",
        "'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['a'],"
            + "'action':'SCMP_ACT_LOG','args':[{'index':0,'value':1,'op':'x'}]}]}} |"
            + " /linux/seccomp/syscalls/0/args/0/op",
        "'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','defaultErrnoRet':1}} |"
            + " /linux/seccomp/defaultErrnoRet",
        "'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['a'],"
            + "'action':'SCMP_ACT_KILL','errnoRet':1}]}} | /linux/seccomp/syscalls/0/errnoRet",
        "'linux':{'personality':{'domain':'x'}} | /linux/personality/domain",
        "'linux':{'memoryPolicy':{'mode':'x'}} | /linux/memoryPolicy/mode",
        "'linux':{'memoryPolicy':{}} | /linux/memoryPolicy/mode",
        "'linux':{'memoryPolicy':{'mode':'MPOL_PREFERRED','flags':['x']}} |"
            + " /linux/memoryPolicy/flags/0",
        "'linux':{'memoryPolicy':{'mode':'MPOL_BIND'}} | /linux/memoryPolicy/nodes",
        "'linux':{'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-99999999'}} |"
            + " /linux/memoryPolicy/nodes",
        "'linux':{'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'0-7'}} |"
            + " /linux/memoryPolicy/nodes",
        "'linux':{'intelRdt':{'closID':'a/b'}} | /linux/intelRdt/closID",
        "'linux':{'intelRdt':{'schemata':['MB:0=1','a\\nb']}} | /linux/intelRdt/schemata/1",
        "'process':{'cwd':'/','args':['x'],'user':{'uid':9}},'linux':{'namespaces':[{'type':'user'}],"
            + "'uidMappings':[{'containerID':0,'hostID':1,'size':9}],"
            + "'gidMappings':[{'containerID':0,'hostID':1,'size':1}]} | /process/user/uid",
        "'linux':{'namespaces':[{'type':'user'}],"
            + "'uidMappings':[{'containerID':0,'hostID':1,'size':9}],"
            + "'gidMappings':[{'containerID':1,'hostID':1,'size':1}]} | /linux/gidMappings",
        "'linux':{'netDevices':{'eth0':{}}} | /linux/netDevices",
        "'linux':{'resources':{'memory':{'swappiness':101}}} | /linux/resources/memory/swappiness",
        "'linux':{'devices':[{'type':'c','path':'/dev/x','major':4096,'minor':0}]} |"
            + " /linux/devices/0/major",
        "'linux':{'devices':[{'type':'b','path':'/dev/x','major':1,'minor':1048576}]} |"
            + " /linux/devices/0/minor",
        "'linux':{'resources':{'devices':[{'allow':true,'type':'c'}]}} |"
            + " /linux/resources/devices/0/access",
        "'linux':{'resources':{'devices':[{'allow':false,'access':''}]}} |"
            + " /linux/resources/devices/0/access",
        "'linux':{'resources':{'devices':[{'allow':true,'access':'x'}]}} |"
            + " /linux/resources/devices/0/access",
        "'linux':{'resources':{'blockIO':{'weight':9}}} | /linux/resources/blockIO/weight",
        "'linux':{'resources':{'blockIO':{'leafWeight':1001}}} | /linux/resources/blockIO/leafWeight",
        "'linux':{'resources':{'blockIO':{'weightDevice':[{'major':8,'minor':0}]}}} |"
            + " /linux/resources/blockIO/weightDevice/0",
        "'linux':{'resources':{'rdma':{'mlx5_0':{}}}} | /linux/resources/rdma/mlx5_0",
        "'linux':{'resources':{'unified':{'a/b':'1'}}} | /linux/resources/unified/a~1b",
        "'mounts':[{'destination':'/m','type':'a\\u0000'}] | /mounts/0/type",
        "'mounts':[{'destination':'/m','source':'a\\u0000'}] | /mounts/0/source",
        "'mounts':[{'destination':'/m','options':['ro','a\\u0000']}] | /mounts/0/options/1",
        "'hooks':{'poststop':[{'path':'/a','args':['a\\u0000']}]} | /hooks/poststop/0/args/0",
        "'hooks':{'poststop':[{'path':'/a','env':['A\\u0000=']}]} | /hooks/poststop/0/env/0",
        "'linux':{'cgroupsPath':'/a\\u0000b'} | /linux/cgroupsPath",
        "'linux':{'namespaces':[{'type':'network'}],'sysctl':{'net.a':'1\\u0000'}} |"
            + " /linux/sysctl/net.a",
        "'linux':{'devices':[{'type':'p','path':'/'}]} | /linux/devices/0/path",
        "'linux':{'devices':[{'type':'p','path':'/dev/./'}]} | /linux/devices/0/path",
        "'linux':{'devices':[{'type':'p','path':'/dev/..'}]} | /linux/devices/0/path",
        "'process':{'cwd':'/','args':['x'],'execCPUAffinity':{'initial':'0-'}} |"
            + " /process/execCPUAffinity/initial",
        "'process':{'cwd':'/','args':['x'],'execCPUAffinity':{'initial':'3-1'}} |"
            + " /process/execCPUAffinity/initial",
        "'annotations':{'a':1} | /annotations/a",
        "'annotations':{'':'a'} | /annotations",
      })
  void refusesWithOnePointer(String members, String pointer) {
    SpecException refused = refused("'ociVersion':'1.0.2','root':{'path':'r'}," + members);
    assertThat(refused.problems()).extracting(Problem::pointer).containsExactly(pointer);
  }

  @ParameterizedTest
  @CsvSource({"2.0.0", "0.5.0-dev", "1", "1.0", "x", "01.0.0", "''"})
  void refusesOtherVersions(String version) {
    SpecException refused = refused("'ociVersion':'" + version + "','root':{'path':'r'}");
    assertThat(refused.problems()).extracting(Problem::pointer).containsExactly("/ociVersion");
  }

  @Test
  void reportsAllProblemsOfStructureAndMeaningAtOnce() {
    assertThatThrownBy(() ->
            Config.readValid(
                bytes("'ociVersion':'2.0.0','process':{'cwd':7},'mounts':[{'source':1}]")))
        .hasMessage(
            "config.json: /process/cwd: must be a string; "
                + "/mounts/0/destination: is required; /mounts/0/source: must be a string; "
                + "/ociVersion: unsupported version \"2.0.0\", must be 1.x; "
                + "/process/args: must not be empty; /root: is required");
  }

  @Test
  void sysctlsOfOwnNamespacesAreAllowed() {
    Config config =
        read(
            "'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'namespaces':[{'type':'ipc'},"
                + "{'type':'network','path':'/n'},{'type':'uts'}],'sysctl':{'kernel.shmmax':'1',"
                + "'fs.mqueue.x':'1','net.ipv4.ip_forward':'1','kernel.domainname':'d'}}");
    assertThat(ConfigValidator.problems(config)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "net.ipv4.conf.eno2/100.rp_filter, net/ipv4/conf/eno2.100/rp_filter",
    "net/ipv4/conf/eno2.100/rp_filter, net/ipv4/conf/eno2.100/rp_filter",
    "kernel.sem, kernel/sem"
  })
  void aSysctlIsNamedWithEitherSeparator(String name, String path) {
    assertThat(new SysctlName(name).path()).isEqualTo(path);
    assertThat(new SysctlName(name).isPlain()).isTrue();
  }

  /// The kernel would set `net.ipv4.ip_forward`.
  @Test
  void aSysctlWithNulIsNoName() {
    SpecException refused =
        refused(
            "'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'namespaces':[{'type':'network'}],"
                + "'sysctl':{'net.ipv4.ip_forward\\u0000':'1'}}");
    assertThat(refused.problems())
        .extracting(Problem::pointer)
        .containsExactly("/linux/sysctl/net.ipv4.ip_forward\0");
  }

  @Test
  void unknownCapabilitiesAreWarnings() {
    Config config =
        read(
            "'ociVersion':'1.0.0','root':{'path':'r'},'process':{'args':['x'],'cwd':'/',"
                + "'capabilities':{'ambient':['CAP_KILL','CAP_X']}}");
    assertThat(ConfigValidator.problems(config)).isEmpty();
    assertThat(ConfigValidator.warnings(config))
        .extracting(Problem::pointer)
        .containsExactly("/process/capabilities/ambient/1", "/process/capabilities/ambient/0");
  }

  @Test
  void lettersOfAnAccessThatMeanNothingAreWarnings() {
    Config config =
        read(
            "'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'resources':{'devices':"
                + "[{'allow':false,'access':'rwm'},{'allow':false,'access':'rwa'}]}}");
    assertThat(ConfigValidator.problems(config)).isEmpty();
    assertThat(ConfigValidator.warnings(config))
        .extracting(Problem::pointer)
        .containsExactly("/linux/resources/devices/1/access");
  }

  /// As for runc, whose parser does not look at case.
  @Test
  void aMemberInAnotherCaseIsTheMember() {
    Config config =
        read(
            "'ociVersion':'1.0.0','Root':{'PATH':'r'},'linux':{'resources':{'hugepageLimits':"
                + "[{'pagesize':'2MB','limit':0}]}},'annotations':{'a':'1','A':'2'}");
    assertThat(Objects.requireNonNull(config.root()).path()).isEqualTo("r");
    assertThat(config.linux().resources().hugepageLimits().getFirst().pageSize()).isEqualTo("2MB");
    assertThat(config.annotations()).containsOnlyKeys("a", "A");
    assertThat(config.toJson())
        .isEqualTo(
            Json.parse(
                bytes(
                    "'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'resources':"
                        + "{'hugepageLimits':[{'pageSize':'2MB','limit':0}]}},"
                        + "'annotations':{'a':'1','A':'2'}")));
  }

  @Test
  void unknownMembersAndUint64LimitsSurvive() {
    String members =
        "'ociVersion':'1.0.0','x':1e3,'root':{'path':'r','y':[null]},'process':{'cwd':'/',"
            + "'terminal':false,'rlimits':[{'type':'RLIMIT_AS','soft':18446744073709551615,"
            + "'hard':18446744073709551615,'z':{}}]},'linux':{'resources':{'memory':"
            + "{'limit':-9223372036854775808,'swappiness':0,'disableOOMKiller':false}}}";
    Config config = read(members);
    Process process = Objects.requireNonNull(config.process());
    assertThat(process.rlimits().getFirst().soft()).isEqualTo(-1);
    assertThat(config.toJson()).isEqualTo(Json.parse(bytes(members)));
  }

  @Test
  void aChangedMemberIsNotOverruledByWhatWasRead() {
    Process process = Process.read(bytes("'cwd':'/','terminal':true,'env':[]"));
    Process changed = process.withTerminal(false).withEnv(List.of("A=b"));
    assertThat(changed.toJson().toText()).isEqualTo("{\"env\":[\"A=b\"],\"cwd\":\"/\"}");
  }

  private static SpecException refused(String members) {
    SpecException refused =
        catchThrowableOfType(SpecException.class, () -> Config.readValid(bytes(members)));
    assertThat(refused).as(members).isNotNull();
    return refused;
  }

  private static Config read(String members) {
    return Config.read(bytes(members));
  }

  private static byte[] bytes(String members) {
    return ("{" + members.replace('\'', '"') + "}").getBytes(StandardCharsets.UTF_8);
  }
}
