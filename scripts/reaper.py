#!/usr/bin/env python3
"""Runs a command as the one to whom its orphans fall, and waits for them as they end: an init may take seconds for that, or never do
it (in a container without one), and a container's end waits for the last process of its PID namespace to be waited for."""
import ctypes, os, sys

PR_SET_CHILD_SUBREAPER = 36
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
    sys.exit("prctl(PR_SET_CHILD_SUBREAPER): " + os.strerror(ctypes.get_errno()))
command = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
while True:
    try:
        ended, status = os.wait()
    except KeyboardInterrupt:
        continue  # the command has it too, and ends
    if ended == command:
        code = os.waitstatus_to_exitcode(status)
        sys.exit(code if code >= 0 else 128 - code)
