/// systemd's manager over D-Bus (org.freedesktop.systemd1(5)): transient scopes, their properties,
/// their end. It depends on `io.jrun.runtime.dbus` and knows nothing of containers.
@NullMarked
package io.jrun.runtime.systemd;

import org.jspecify.annotations.NullMarked;
