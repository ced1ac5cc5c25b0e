/// What the tests of several packages of the runtime share, and the rules for all modules'
/// packages.
@NullMarked
package io.jrun.runtime;

import org.jspecify.annotations.NullMarked;
