package io.jrun.image.bundle;

import io.jrun.image.ImageException;
import io.jrun.specs.runtime.User;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An image's passwd(5) and group(5); lines that are not in their form are passed over.
///
/// @param passwd empty where the image has no such file
public record Accounts(String passwd, String group) {
  private static final long MOST = 0xffff_fffeL;

  private record Account(String name, long uid, long gid) {}

  /// `user`, `uid`, `user:group`, `uid:gid` and mixtures of them; `:group` is root's. A number need
  /// not be in the files; a name must. The group is one of the further groups too, so that no
  /// program gets rid of it, and of what it is refused, by the setgid bit of another
  /// (CVE-2022-36109).
  public User find(String text) {
    if (text.isEmpty()) return User.ROOT;
    String[] parts = (text.startsWith(":") ? "0" + text : text).split(":", 2);
    Optional<Account> account = account(parts[0]);
    if (account.isEmpty() && number(parts[0]).isEmpty()) {
      throw new ImageException("the image's passwd has no user " + parts[0]);
    }
    long uid = account.map(Account::uid).orElseGet(() -> number(parts[0]).orElseThrow());
    boolean hasGroup = parts.length > 1 && !parts[1].isEmpty();
    long gid = hasGroup ? group(parts[1]) : account.map(Account::gid).orElse(0L);
    List<Long> gids = new ArrayList<>(List.of(gid));
    if (!hasGroup) account.ifPresent(a -> gids.addAll(memberships(a)));
    return User.of(uid, gid).withAdditionalGids(gids);
  }

  private static Optional<Long> number(String text) {
    try {
      long number = Long.parseLong(text);
      return number < 0 || number > MOST ? Optional.empty() : Optional.of(number);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /// A name counts before a number that reads the same.
  private Optional<Account> account(String text) {
    Optional<Account> byNumber = Optional.empty();
    for (String line : passwd.split("\n")) {
      String[] fields = line.split(":");
      if (fields.length < 4) continue;
      Optional<Long> uid = number(fields[2]);
      Optional<Long> gid = number(fields[3]);
      if (uid.isEmpty() || gid.isEmpty()) continue;
      Account account = new Account(fields[0], uid.get(), gid.get());
      if (fields[0].equals(text)) return Optional.of(account);
      if (byNumber.isEmpty() && number(text).equals(uid)) byNumber = Optional.of(account);
    }
    return byNumber;
  }

  private long group(String text) {
    for (String line : group.split("\n")) {
      String[] fields = line.split(":");
      if (fields.length > 2 && fields[0].equals(text)) {
        Optional<Long> gid = number(fields[2]);
        if (gid.isPresent()) return gid.get();
      }
    }
    return number(text)
        .orElseThrow(() -> new ImageException("the image's group has no group " + text));
  }

  private List<Long> memberships(Account account) {
    List<Long> gids = new ArrayList<>();
    for (String line : group.split("\n")) {
      String[] fields = line.split(":");
      if (fields.length < 4 || !List.of(fields[3].split(",")).contains(account.name())) continue;
      number(fields[2])
          .filter(gid -> gid != account.gid() && !gids.contains(gid))
          .ifPresent(gids::add);
    }
    return gids;
  }
}
