package io.jrun.runtime.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.runtime.dbus.Value;
import io.jrun.runtime.systemd.ManagerAddress;
import io.jrun.runtime.systemd.Property;
import io.jrun.specs.runtime.Resources;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScopeTest {
  private static final String DEVICES =
      "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n  8 sd\n254 virtblk\n";

  private static Resources resources(String json) {
    return Resources.read(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private static List<Property> limits(String json, boolean unified) {
    return ScopeProperties.limits(resources(json), unified, 252, true);
  }

  private static Property number(String name, long value) {
    return new Property(name, Value.uint64(value));
  }

  @ParameterizedTest
  @CsvSource({
    "'',false,/system.slice/jrun-c1.scope",
    "'',true,/user.slice/jrun-c1.scope",
    "machine.slice:libpod:abc,false,/machine.slice/libpod-abc.scope",
    "a-b-c.slice:p:n,false,/a.slice/a-b.slice/a-b-c.slice/p-n.scope",
    "-.slice:p:n,false,/p-n.scope",
    ":p:n,true,/user.slice/p-n.scope",
    "a.slice::n,false,/a.slice/n.scope"
  })
  void aPathNamesSliceAndScope(String path, boolean user, String cgroup) {
    assertThat(ScopeName.of(path, "c1", user).path()).isEqualTo(cgroup);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/a",
        "a:b",
        "a.slice:b:c:d",
        "a:b:c",
        "a--b.slice:b:c",
        ".slice:b:c",
        "-a.slice:b:c",
        "a/b.slice:b:c",
        "a.slice:b:",
        "a.slice:b:c.slice"
      })
  void otherPathsAreRefused(String path) {
    assertThatThrownBy(() -> ScopeName.of(path, "c1", false)).isInstanceOf(CgroupException.class);
  }

  @Test
  void limitsOfV2() {
    assertThat(
            limits(
                "{'memory':{'limit':1000,'reservation':500,'swap':1500},'cpu':{'shares':1024,'quota':33333,'period':100000,'cpus':'0-1,9'},"
                    + "'pids':{'limit':7},'blockIO':{'weight':500}}",
                true))
        .containsExactly(
            number("MemoryMax", 1000),
            number("MemoryLow", 500),
            number("MemorySwapMax", 500),
            number("CPUWeight", 100),
            number("CPUQuotaPeriodUSec", 100000),
            number("CPUQuotaPerSecUSec", 340000), // whole percents, rounded up
            new Property("AllowedCPUs", Value.bytes(new byte[] {3, 2})),
            number("TasksMax", 7),
            number("IOWeight", 4950));
  }

  @Test
  void noLimitIsTheGreatestNumber() {
    assertThat(limits("{'memory':{'limit':-1},'cpu':{'quota':-1},'pids':{'limit':-1}}", true))
        .containsExactly(
            number("MemoryMax", -1),
            number("MemorySwapMax", -1),
            number("CPUQuotaPerSecUSec", -1),
            number("TasksMax", -1));
  }

  @Test
  void limitsOfV1() {
    assertThat(
            limits(
                "{'memory':{'limit':1000},'cpu':{'shares':512,'cpus':'0'},'pids':{'limit':7},'blockIO':{'weight':500}}",
                false))
        .containsExactly(
            number("MemoryLimit", 1000),
            number("CPUShares", 512),
            number("TasksMax", 7),
            number("BlockIOWeight", 500));
  }

  @Test
  void filesOfV2BecomePropertiesWhereThereAreSome() {
    assertThat(
            limits(
                "{'unified':{'memory.high':'max','memory.min':'4096','cpu.max':'max 50000','cpu.weight':'7','cpuset.cpus':'2','hugetlb.2MB.max':'0','pids.max':'9'}}",
                true))
        .containsExactly(
            number("MemoryHigh", -1),
            number("MemoryMin", 4096),
            number("CPUQuotaPeriodUSec", 50000),
            number("CPUQuotaPerSecUSec", -1),
            number("CPUWeight", 7),
            new Property("AllowedCPUs", Value.bytes(new byte[] {4})),
            number("TasksMax", 9));
    assertThatThrownBy(() -> limits("{'unified':{'pids.max':'many'}}", true))
        .hasMessageContaining("pids.max");
  }

  @Test
  void anOlderSystemdIsNotAskedForWhatItLacks() {
    assertThat(
            ScopeProperties.limits(
                resources("{'cpu':{'quota':5000,'period':10000,'cpus':'0','idle':1}}"),
                true,
                239,
                true))
        .containsExactly(number("CPUQuotaPerSecUSec", 500000));
  }

  @Test
  void annotationsAreProperties() {
    assertThat(
            ScopeProperties.annotated(
                Map.of(
                    "org.systemd.property.TimeoutStopSec",
                    "1.5",
                    "org.systemd.property.CollectMode",
                    "'inactive'",
                    "other",
                    "x")))
        .containsExactlyInAnyOrder(
            number("TimeoutStopUSec", 1_500_000),
            new Property("CollectMode", Value.string("inactive")));
    assertThat(
            ScopeProperties.annotated(Map.of("org.systemd.property.TimeoutStopUSec", "uint64 5")))
        .containsExactly(number("TimeoutStopUSec", 5));
    for (String name : List.of("A-B", "", "AB", "TimeoutStopSec"))
      assertThatThrownBy(
              () -> ScopeProperties.annotated(Map.of("org.systemd.property." + name, "'x'")))
          .hasMessageContaining("org.systemd.property." + name);
  }

  @Test
  void devicesAreAllowedOneByOne() {
    List<Property> properties =
        ScopeDevices.of(
            resources(
                    "{'devices':[{'allow':false,'access':'rwm'},{'allow':true,'type':'b','major':8,'access':'r'},{'allow':true,'type':'c','major':10,'minor':229,'access':'rwm'}]}")
                .devices(),
            DEVICES);
    assertThat(properties.getFirst())
        .isEqualTo(new Property("DevicePolicy", Value.string("strict")));
    assertThat(((Value.Array) properties.getLast().value()).values())
        .contains(
            Value.struct(Value.string("block-sd"), Value.string("r")),
            Value.struct(Value.string("/dev/char/10:229"), Value.string("rwm")),
            Value.struct(Value.string("char-pts"), Value.string("rwm")),
            Value.struct(Value.string("char-*"), Value.string("m")));
  }

  @Test
  void rulesThatSystemdCannotSayAreNotToldToIt() {
    for (String rules :
        List.of(
            "[{'allow':true,'access':'rwm'}]",
            "[{'allow':true,'type':'b','major':8,'access':'r'},{'allow':false,'type':'b','major':8,'minor':1,'access':'r'}]",
            "[{'allow':true,'type':'c','major':77,'access':'r'}]"))
      assertThat(ScopeDevices.of(resources("{'devices':" + rules + "}").devices(), DEVICES))
          .containsExactly(new Property("DevicePolicy", Value.string("auto")));
  }

  @Test
  void aScopeIsRememberedAsText() {
    Scope scope = new Scope("a.scope", new ManagerAddress("/run/x", true));
    assertThat(Scope.of(Scope.stored(scope))).isEqualTo(scope);
    assertThat(Scope.of(Scope.stored(null))).isNull();
  }
}
