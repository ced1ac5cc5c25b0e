package io.jrun.runtime;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/// Where libraries may be used, that every package is null-marked, and that packages do not depend
/// on each other in circles.
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.jrun");

  private static void onlyIn(String library, String... homes) {
    noClasses()
        .that()
        .resideOutsideOfPackages(homes)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library)
        .check(CLASSES);
  }

  @Test
  void theClassesAreReallyRead() {
    for (String name :
        new String[] {
          "io.jrun.kernel.host.HostKernel",
          "io.jrun.runtime.engine.Main",
          "io.jrun.specs.json.JsonSource"
        }) {
      assertThat(CLASSES.contain(name)).as(name).isTrue();
    }
    assertThat(CLASSES.get("io.jrun.kernel.host.Libc").getDirectDependenciesFromSelf())
        .anyMatch(d -> d.getTargetClass().getPackageName().equals("com.kenai.jffi"));
  }

  @Test
  void everyPackageIsNullMarked() {
    assertThat(CLASSES.stream().map(JavaClass::getPackage).distinct())
        .allMatch(each -> each.isAnnotatedWith(NullMarked.class));
  }

  @Test
  void nativeCodeIsCalledFromFewPackagesOnly() {
    onlyIn("jnr..", "io.jrun.kernel.host", "io.jrun.runtime.seccomp", "io.jrun.cni.nftables");
    onlyIn("com.kenai..", "io.jrun.kernel.host", "io.jrun.runtime.seccomp", "io.jrun.cni.nftables");
  }

  @Test
  void picocliStaysInTheCommandLine() {
    onlyIn("picocli..", "io.jrun.runtime.cli");
  }

  @Test
  void jacksonStaysInTheJsonPackage() {
    onlyIn("tools.jackson..", "io.jrun.specs.json");
  }

  @Test
  void clientsOfEtcdAndYamlStayInTheirPackages() {
    for (String library : new String[] {"io.etcd..", "io.grpc..", "io.netty.."}) {
      onlyIn(library, "io.jrun.cni.etcd");
    }
    onlyIn("org.snakeyaml..", "io.jrun.cni.policy");
  }

  @Test
  void packagesOfTheRuntimeFormNoCycle() {
    slices().matching("io.jrun.runtime.(*)..").should().beFreeOfCycles().check(CLASSES);
    slices().matching("io.jrun.cni.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void packagesOfTheRootfsToolsFormNoCycle() {
    slices().matching("io.jrun.rootfs.(*)..").should().beFreeOfCycles().check(CLASSES);
    slices().matching("io.jrun.image.(*)..").should().beFreeOfCycles().check(CLASSES);
    noClasses()
        .that()
        .resideInAnyPackage("io.jrun.rootfs", "io.jrun.rootfs..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.jrun.image", "io.jrun.image..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage("io.jrun.rootfs")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.jrun.rootfs.*..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage("io.jrun.image")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.jrun.image.*..")
        .check(CLASSES);
  }

  @Test
  void compressionLibrariesStayInTheCodecs() {
    onlyIn("org.apache.commons.compress..", "io.jrun.rootfs.codec");
    onlyIn("org.tukaani..", "io.jrun.rootfs.codec");
  }

  @Test
  void httpStaysInTheRegistry() {
    onlyIn("java.net.http..", "io.jrun.image.registry");
  }
}
