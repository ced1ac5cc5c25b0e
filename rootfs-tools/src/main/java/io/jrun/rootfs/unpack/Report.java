package io.jrun.rootfs.unpack;

/// What an unpacking did.
///
/// @param skippedDevices device nodes that only a privileged user may make
/// @param refusedAttributes extended attributes that the kernel did not take
public record Report(
    long entries, long files, long bytes, long skippedDevices, long refusedAttributes) {}
