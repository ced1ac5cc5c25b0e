package io.jrun.cni.simple;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.FileCall;

/// Whether the machine routes, as it must for its containers.
record Forwarding(Kernel kernel) {
  void enable(Assignment assignment) {
    for (Assignment.Address address : assignment.addresses()) {
      String file =
          address.cidr().isIpv6()
              ? "/proc/sys/net/ipv6/conf/all/forwarding"
              : "/proc/sys/net/ipv4/ip_forward";
      try (OwnedDescriptor owned =
          OwnedDescriptor.open(kernel, FileCall.Openat.existing(file, FileCall.O_RDWR))) {
        // with pread, so that the write starts at offset 0: the kernel ignores a number that is
        // written elsewhere
        byte[] value = kernel.call(new FileCall.Pread(owned.descriptor(), 2, 0));
        if (value.length == 0 || value[0] == '0') {
          kernel.call(new FileCall.Write(owned.descriptor(), new byte[] {'1'}));
        }
      }
    }
  }
}
