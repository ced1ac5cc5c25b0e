/// Calling a plugin: its environment, where it is found, how it is run and how it fails.
@NullMarked
package io.jrun.cni.plugin;

import org.jspecify.annotations.NullMarked;
