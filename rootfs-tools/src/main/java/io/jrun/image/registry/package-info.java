/// Registries (OCI distribution-spec 1.1) over java.net.http.
@NullMarked
package io.jrun.image.registry;

import org.jspecify.annotations.NullMarked;
