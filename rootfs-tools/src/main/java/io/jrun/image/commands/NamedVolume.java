package io.jrun.image.commands;

/// A volume of the store that a container has.
///
/// @param destination its place in the container
/// @param copies whether a new one begins with what the image has there
public record NamedVolume(String name, String destination, boolean copies) {}
