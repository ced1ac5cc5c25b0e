package io.jrun.runtime.cli;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// `jrun update`: its flags as a part of linux.resources.
final class UpdateCommand {
  private static final Pattern SIZE = Pattern.compile("([0-9]+(?:\\.[0-9]+)?) ?([kmgtp]?)(?:i?b)?");
  private static final String UNITS = "kmgtp";
  private static final int UNIT = 1024;

  private final ParsedLine line;
  private JsonObject changes = JsonObject.EMPTY;

  private UpdateCommand(ParsedLine line) {
    this.line = line;
  }

  static void options(Options options) {
    options
        .text(
            "file",
            "a file with the resources to change, - for standard input",
            "--resources",
            "-r")
        .text("weight", "block I/O weight, from 10 to 1000", "--blkio-weight")
        .text("micros", "CFS period", "--cpu-period")
        .text("micros", "CFS quota", "--cpu-quota")
        .text("micros", "CFS burst", "--cpu-burst")
        .text("shares", "CPU shares", "--cpu-share")
        .text("micros", "realtime period", "--cpu-rt-period")
        .text("micros", "realtime runtime", "--cpu-rt-runtime")
        .text("0|1", "idle scheduling", "--cpu-idle")
        .text("list", "CPUs", "--cpuset-cpus")
        .text("list", "memory nodes", "--cpuset-mems")
        .text("bytes", "memory limit", "--memory")
        .text("bytes", "memory reservation, a soft limit", "--memory-reservation")
        .text("bytes", "memory and swap together, -1 for no limit", "--memory-swap")
        .text("number", "processes", "--pids-limit")
        .text("schema", "Intel RDT L3 cache schema", "--l3-cache-schema")
        .text("schema", "Intel RDT memory bandwidth schema", "--mem-bw-schema")
        .hiddenText("--kernel-memory")
        .hiddenText("--kernel-memory-tcp");
  }

  static int perform(Request request) {
    UpdateCommand command = new UpdateCommand(request.line());
    request
        .operations()
        .update(
            new UpdateOptions(
                request.global(),
                request.id(),
                request.line().text("--resources"),
                command.changes(),
                request.line().text("--l3-cache-schema"),
                request.line().text("--mem-bw-schema")));
    return 0;
  }

  private JsonObject changes() {
    number("blockIO", "weight", "--blkio-weight");
    number("cpu", "period", "--cpu-period");
    number("cpu", "quota", "--cpu-quota");
    number("cpu", "burst", "--cpu-burst");
    number("cpu", "shares", "--cpu-share");
    number("cpu", "realtimePeriod", "--cpu-rt-period");
    number("cpu", "realtimeRuntime", "--cpu-rt-runtime");
    number("cpu", "idle", "--cpu-idle");
    text("cpu", "cpus", "--cpuset-cpus");
    text("cpu", "mems", "--cpuset-mems");
    memory("limit", "--memory");
    memory("reservation", "--memory-reservation");
    memory("swap", "--memory-swap");
    number("pids", "limit", "--pids-limit");
    return changes;
  }

  private void put(String group, String member, Json value) {
    JsonObject before =
        changes.member(group) instanceof JsonObject object ? object : JsonObject.EMPTY;
    changes = changes.with(group, before.with(member, value));
  }

  private void text(String group, String member, String flag) {
    @Nullable String value = line.text(flag);
    if (value != null) put(group, member, Json.of(value));
  }

  private void number(String group, String member, String flag) {
    @Nullable String value = line.text(flag);
    if (value == null) return;
    try {
      put(group, member, Json.of(Long.parseLong(value)));
    } catch (NumberFormatException e) {
      throw CommandFailure.usage("invalid value for " + flag.substring(2) + ": " + value);
    }
  }

  private void memory(String member, String flag) {
    @Nullable String value = line.text(flag);
    if (value != null) put("memory", member, Json.of(bytes(flag.substring(2), value)));
  }

  /// Such as 64m, 1.5GiB or 1024; -1 is no limit.
  static long bytes(String flag, String value) {
    if (value.equals("-1")) return -1;
    Matcher matcher = SIZE.matcher(value.toLowerCase(Locale.ROOT));
    if (!matcher.matches()) throw CommandFailure.usage("invalid value for " + flag + ": " + value);
    BigDecimal number = new BigDecimal(matcher.group(1));
    int power = matcher.group(2).isEmpty() ? 0 : UNITS.indexOf(matcher.group(2)) + 1;
    return number.multiply(BigDecimal.valueOf(UNIT).pow(power)).longValue();
  }
}
