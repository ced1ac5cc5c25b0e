package io.jrun.kernel.host;

import java.util.Optional;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import jnr.posix.Passwd;

/// The machine's users, whichever database they are in (getpwuid(3), nsswitch.conf(5)). Its first
/// use takes tenths of a second, since JNR-POSIX is loaded then: nothing on the way to a
/// container's start may need it.
public final class Accounts {
  private static final class Library {
    static final POSIX LIBC = POSIXFactory.getNativePOSIX();
  }

  private Accounts() {}

  /// The name of a user; empty where the number has none. libc answers in one place for all
  /// threads, hence the lock.
  public static synchronized Optional<String> userName(int uid) {
    Passwd entry = Library.LIBC.getpwuid(uid);
    return entry == null ? Optional.empty() : Optional.ofNullable(entry.getLoginName());
  }
}
