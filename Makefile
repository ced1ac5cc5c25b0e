# The entrance: build, test, bench, lint, demo, install. CI calls only make.
SHELL := /bin/bash
PREFIX ?= /usr/local
# Where CNI looks for plugins. An installation elsewhere than in the system leaves that alone.
CNI_BIN ?= $(if $(filter /usr /usr/local,$(PREFIX)),/opt/cni/bin)
BUILD := build
STAGE := $(CURDIR)/$(BUILD)/install
export JAVA_HOME := $(shell scripts/find-jdk.sh 2>/dev/null)
MVN := mvn -B -q
CFLAGS := -std=gnu11 -Os -ffreestanding -nostdlib -static -fno-pie -no-pie -fno-stack-protector \
  -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wall -Wextra -Werror
LDFLAGS := -Wl,-T,kernel/src/main/c/helper.ld -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=65536
HELPER := $(wildcard kernel/src/main/c/*.c)
HEADERS := $(wildcard kernel/src/main/c/*.h) kernel/src/main/c/helper.ld
ARCH_x86_64 := -mno-sse
ARCH_aarch64 := -mgeneral-regs-only

.PHONY: build test e2e vm-test vm-shell bench lint goldens format demo install uninstall prepare prepare-tests clean helpers stage

build: prepare stage

prepare:
	@scripts/prepare.sh

prepare-tests:
	@scripts/prepare.sh tests

# The helper for this machine, and for the other architecture where its compiler is installed.
helpers: $(BUILD)/helper/$(shell uname -m)/jrun
	@if command -v aarch64-linux-gnu-gcc >/dev/null && [ "$$(uname -m)" != aarch64 ]; then \
	  $(MAKE) --no-print-directory $(BUILD)/helper/aarch64/jrun; \
	else echo "skipped: the aarch64 helper (no aarch64-linux-gnu-gcc)"; fi

$(BUILD)/helper/%/jrun: $(HELPER) $(HEADERS)
	@mkdir -p $(@D)
	$(if $(filter $*,$(shell uname -m)),gcc,$*-linux-gnu-gcc) $(CFLAGS) $(ARCH_$*) $(LDFLAGS) -o $@ $(HELPER)
	@test $$(stat -c %s $@) -lt 65536

stage: helpers
	$(MVN) -DskipTests install
	scripts/stage.sh $(STAGE)

test: prepare-tests stage
	scripts/test.sh

# In a virtual machine with cgroup v2 alone, systemd and AppArmor: what has not passed there yet of these sources, or all with ANEW=1;
# T="SystemdIT RunIT" runs these classes only. See scripts/vm.
vm-test: prepare stage
	scripts/vm/lane.sh $(T)

# The same machine, with jrun in it, on this terminal.
vm-shell: prepare stage
	scripts/vm/run.sh shell

# The end-to-end tests alone, of RUNTIME, which may be runc or crun: a test that fails with every runtime is wrong.
RUNTIME ?= $(STAGE)/bin/jrun
e2e: prepare-tests stage
	mvn -B -pl integration-tests verify -Dspotless.check.skip=true -Djrun.runtime=$(RUNTIME)

bench: build
	scripts/bench.sh
	scripts/bench-rootfs.sh
	python3 scripts/bench-cni.py
	python3 scripts/bench-shim.py

# Not a part of test: with Error Prone the compiler takes minutes.
lint:
	mvn -B --no-transfer-progress -Plint -DskipTests clean package
	$(MVN) spotless:check

# Rewrites the golden sequences of calls from what the code does now; look at the difference.
goldens: stage
	$(MVN) -pl runtime -am verify -Djrun.goldens.update=true -Dsurefire.failIfNoSpecifiedTests=false \
	  -Dfailsafe.failIfNoSpecifiedTests=false -Dtest='*Plan*Test' -Dit.test=CallSequenceIT
	git status --short -- '*/src/test/golden'

format:
	$(MVN) spotless:apply

demo: build
	scripts/demo.sh

install: build
	scripts/stage.sh $(DESTDIR)$(PREFIX)
	$(if $(CNI_BIN),mkdir -p $(DESTDIR)$(CNI_BIN))
	$(if $(CNI_BIN),ln -sfn $(PREFIX)/bin/jrun $(DESTDIR)$(CNI_BIN)/simplecni)

# Takes away what install put there. State, leases and logs under /run and /var stay, and so do running containers.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,jrun simplecni containerd-shim-jrun-v2)
	rm -rf $(DESTDIR)$(PREFIX)/lib/jrun
	@if [ -n "$(CNI_BIN)" ] && [ "$$(readlink $(DESTDIR)$(CNI_BIN)/simplecni)" = $(PREFIX)/bin/jrun ]; then \
	  rm -v $(DESTDIR)$(CNI_BIN)/simplecni; fi

clean:
	rm -rf $(BUILD) demo
	$(MVN) clean
