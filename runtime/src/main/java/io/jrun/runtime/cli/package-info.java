/// The command line: parses it, calls Operations, and renders results and failures as runc does; it
/// knows no containers.
@NullMarked
package io.jrun.runtime.cli;

import org.jspecify.annotations.NullMarked;
