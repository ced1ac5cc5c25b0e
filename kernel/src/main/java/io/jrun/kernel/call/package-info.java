/// Syscalls as data: one record per call, grouped by man page; depends on nothing.
@NullMarked
package io.jrun.kernel.call;

import org.jspecify.annotations.NullMarked;
