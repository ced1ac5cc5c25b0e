package io.jrun.rootfs.tar;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One entry of an archive, its headers of all formats put together.
///
/// @param name as the archive has it; bytes that are not UTF-8 as [io.jrun.kernel.call.Names] says
/// @param mode the permission bits with setuid, setgid and sticky
/// @param access when it was last read; null when the archive does not say
/// @param link the target of a symbolic or hard link, else empty
/// @param size of the file, holes included
/// @param stored how many bytes of content follow in the archive
/// @param extents where a sparse file's stored bytes belong, in order; null when it is not sparse
public record Entry(
    String name,
    EntryType type,
    int mode,
    long uid,
    long gid,
    Time modified,
    @Nullable Time access,
    String link,
    int major,
    int minor,
    long size,
    long stored,
    @Nullable List<Extent> extents,
    Map<String, byte[]> xattrs) {}
