/// The wire protocol of D-Bus (D-Bus specification 0.43) over a unix socket, as a client speaks it;
/// it depends on `io.jrun.kernel` and knows nothing of containers.
@NullMarked
package io.jrun.runtime.dbus;

import org.jspecify.annotations.NullMarked;
