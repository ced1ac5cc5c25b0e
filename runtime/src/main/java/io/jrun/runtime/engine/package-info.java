/// The resident JVM: its socket, its clients, its idle end; may use everything of the runtime.
@NullMarked
package io.jrun.runtime.engine;

import org.jspecify.annotations.NullMarked;
