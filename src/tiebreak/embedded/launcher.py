"""A script that becomes another program, which then ends when its owner ends, and need not be root.

Run by a bare interpreter (`python -I -S launcher.py OWNER DEATH_SIGNAL PRIVILEGE PROGRAM…`, 15 ms), because the
calls below act on the calling process only and must come after fork and before exec, where a process with
threads cannot run Python safely. Standard library only, no package around it.

PRIVILEGE: `keep`; `namespace`: a user namespace in which root is called nobody, so that Postgres, which refuses
root, starts, while files still belong to root; `nobody`: uid 65534 that may still pass closed parent directories
(the ambient capability CAP_DAC_OVERRIDE), for containers in which namespaces are not permitted.
Without PROGRAM: exit 0 if the privilege can be had.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import subprocess
import sys
import time

NOBODY = 65534
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
OWNER_GONE = 3
WATCH_SECONDS = 0.5


def call(function: str, *arguments: object) -> None:
    """A function of the C library; OSError if it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), function)


def enter_namespace() -> None:
    """See `namespace` above: one id is mapped, our own, and it is called nobody."""
    uid, gid = os.geteuid(), os.getegid()
    call("unshare", CLONE_NEWUSER)
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {uid} 1"),
        ("gid_map", f"{NOBODY} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(line)


def become_nobody() -> None:
    """See `nobody` above; order matters: the capability is kept over setuid, then made to last over exec."""
    call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    override = 1 << CAP_DAC_OVERRIDE
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    call("capset", header, struct.pack("=6I", override, override, override, 0, 0, 0))
    call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def become(owner: int, death_signal: int, program: list[str]) -> None:
    """Replace this process by the program; the kernel sends it `death_signal` when its owner ends.

    After the change of privilege, which would clear the signal. The owner may be gone already: then no signal comes.
    """
    call("prctl", PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != owner:
        sys.exit(OWNER_GONE)
    os.execv(program[0], program)  # noqa: S606 - no shell is meant


def watch(owner: int, death_signal: int, program: list[str]) -> int:
    """Where the kernel has no such signal (macOS): stay, pass signals on, and look whether the owner lives."""
    child = subprocess.Popen(program, close_fds=False)  # noqa: S603 - our own command line
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda number, _frame: child.send_signal(number))
    while child.poll() is None:
        if os.getppid() != owner:
            child.send_signal(death_signal)
            return child.wait()
        time.sleep(WATCH_SECONDS)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def main(arguments: list[str]) -> int:
    owner, death_signal, privilege, *program = arguments
    if privilege == "namespace":
        enter_namespace()
    elif privilege == "nobody":
        become_nobody()
    if not program:
        return 0
    if sys.platform == "linux":
        become(int(owner), int(death_signal), program)
    return watch(int(owner), int(death_signal), program)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
