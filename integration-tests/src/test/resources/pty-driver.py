"""Drives a runtime through a pseudoterminal, for TerminalIT.

  pty-driver.py run STEPS -- ARGV...            runs ARGV on a new pty and exits with its status
  pty-driver.py console SOCKET STEPS -- ARGV... listens on SOCKET, runs ARGV (create or run -d with --console-socket),
                                                receives the pty's descriptor and talks on it; exits with ARGV's status

STEPS is a JSON array of ["expect", TEXT], ["send", TEXT], ["resize", ROWS, COLUMNS], ["run", ARGV...], ["eof"].
All that the terminal said goes to standard output, raw.
"""
import array, fcntl, json, os, pty, select, signal, socket, struct, subprocess, sys, termios, time

LIMIT = 15 * int(os.environ.get("JRUN_PATIENCE", "1"))


class Terminal:
    def __init__(self, fd):
        self.fd, self.seen, self.mark = fd, b"", 0

    def read(self, timeout):
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += data
        return bool(data)

    def expect(self, text):
        text, end = text.encode(), time.time() + LIMIT
        while True:
            at = self.seen.find(text, self.mark)
            if at >= 0:
                self.mark = at + len(text)
                return
            if time.time() > end or not self.read(0.2):
                self.flush()
                sys.stderr.write("expected %r, not seen after: %r\n" % (text, self.seen[self.mark:]))
                sys.exit(98)

    def perform(self, steps):
        for name, *args in steps:
            if name == "expect":
                self.expect(*args)
            elif name == "send":
                os.write(self.fd, args[0].encode())
            elif name == "resize":
                # twice: ctr loses a change between its look at the size and its handler of SIGWINCH
                for columns in args[1] + 1, args[1]:
                    fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", args[0], columns, 0, 0))
                    time.sleep(0.5)
            elif name == "run":
                subprocess.run(args, check=True, stdin=subprocess.DEVNULL, timeout=LIMIT)
            elif name == "eof":
                end = time.time() + LIMIT
                while self.read(0.2):
                    if time.time() > end:
                        sys.stderr.write("the terminal stays open\n")
                        sys.exit(97)

    def flush(self):
        sys.stdout.buffer.write(self.seen)
        sys.stdout.flush()


def run(steps, argv):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    terminal = Terminal(fd)
    try:
        terminal.perform(steps)
        terminal.perform([["eof"]])
    except SystemExit:
        os.kill(pid, signal.SIGKILL)
        raise
    terminal.flush()
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def console(path, steps, argv):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen(1)
        server.settimeout(LIMIT)
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        peer, _ = server.accept()
        fds = array.array("i")
        _, ancillary, _, _ = peer.recvmsg(4096, socket.CMSG_LEN(fds.itemsize))
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
        peer.close()
        if len(fds) != 1:
            sys.stderr.write("received %d descriptors\n" % len(fds))
            return 96
        status = child.wait(LIMIT)
        if status:
            return status
        terminal = Terminal(fds[0])
        terminal.perform(steps)
        terminal.flush()
        return 0


def main():
    split = sys.argv.index("--")
    options, argv = sys.argv[1:split], sys.argv[split + 1 :]
    if options[0] == "run":
        return run(json.loads(options[1]), argv)
    return console(options[1], json.loads(options[2]), argv)


sys.exit(main())
