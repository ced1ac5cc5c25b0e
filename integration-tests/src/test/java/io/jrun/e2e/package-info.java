/// Black-box tests of an OCI runtime's installed binary, one file per feature. They run against
/// jrun, and with `-Djrun.runtime=/usr/sbin/runc` against its model; they know nothing of jrun's
/// modules.
@NullMarked
package io.jrun.e2e;

import org.jspecify.annotations.NullMarked;
