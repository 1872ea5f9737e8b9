"""Run one command so that nothing of it outlives its parent, however either of them dies.

This file is a script, started by `local.stack.process.ChildProcess` as

    python -I -S guard.py LIFELINE STATUS STOP_SIGNAL GRACE_SECONDS USER command ...

and sits between the parent and the command:

- LIFELINE is the read end of a pipe whose write end only the parent holds. When it reports end of file the
  parent is gone (a kill -9 too), and the command is asked to stop with STOP_SIGNAL, then killed after
  GRACE_SECONDS.
- The command leads a process group of its own, and the guard adopts its orphans (PR_SET_CHILD_SUBREAPER).
  When the command ends, whatever it had started is killed: prefork children of a worker killed with -9, for
  example.
- If the guard itself is killed with -9, the kernel sends the command STOP_SIGNAL (PR_SET_PDEATHSIG).

STATUS is a pipe on which the guard writes the command's process id. USER is a user name to change to, or "-".
The guard exits as the command did (128 + signal number if a signal ended it). It imports only what it must,
because a dozen of them run in a demo. On systems other than Linux the two kernel services are missing; the
rest holds.
"""

import contextlib
import ctypes
import os
import pwd
import select
import signal
import sys
import time
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
STOP_REQUESTS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def control_process(option: int, value: int) -> None:
    """Call prctl(2), where there is one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def become(user: str) -> None:
    """Give up root's rights for those of `user`."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def start(command: list[str], user: str, stop_signal: int, inherited: list[int]) -> int:
    """Fork and execute `command` in its own process group; return its process id once the command has begun."""
    guard = os.getpid()
    begun, not_begun = os.pipe()  # the kernel closes the child's end when the command begins
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_REQUESTS)
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_REQUESTS)
        os.close(not_begun)
        os.read(begun, 1)
        os.close(begun)
        return child
    try:
        os.setpgid(0, 0)
        for descriptor in inherited:
            os.close(descriptor)
        # Python ignores the first two, and our own handlers would swallow what arrives before the command runs.
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, *STOP_REQUESTS):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_REQUESTS)
        if user != "-":
            become(user)
        control_process(PR_SET_PDEATHSIG, stop_signal)  # after the change of user, which would clear it
        if os.getppid() != guard:
            os._exit(127)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"Cannot run {command[0]}: {error}\n".encode())
    os._exit(127)


def children() -> list[int]:
    """Return the ids of this process's children, adopted ones included."""
    me, found = os.getpid(), []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == me:
            found.append(int(status.parent.name))
    return found


def kill_all(group: int) -> None:
    """Kill the command's group and everything adopted from it, until there is nothing left."""
    while True:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        for pid in children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)
        except ChildProcessError:
            return


def reap(command: int) -> int | None:
    """Collect ended children; return the exit code of `command` if it was among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == command:
            code = os.waitstatus_to_exitcode(status)
            code = 128 - code if code < 0 else code


def main(arguments: list[str]) -> int:
    """Start the command, watch it and the parent, and return the command's exit code."""
    lifeline, status, stop_signal, grace = (
        int(arguments[0]),
        int(arguments[1]),
        int(arguments[2]),
        float(arguments[3]),
    )
    user, command = arguments[4], arguments[5:]
    asked_to_stop = False

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True

    control_process(PR_SET_CHILD_SUBREAPER, 1)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    for number in STOP_REQUESTS:
        signal.signal(number, ask_to_stop)

    child = start(command, user, stop_signal, [lifeline, status, wake, waker])
    os.write(status, f"{child}\n".encode())
    os.close(status)

    watched, kill_at = [wake, lifeline], float("inf")
    while True:
        code = reap(child)
        if code is not None:
            break
        if asked_to_stop and kill_at == float("inf"):
            kill_at = time.monotonic() + grace
            os.kill(child, stop_signal)
            os.kill(child, signal.SIGCONT)  # a stopped process acts on no signal
        left = kill_at - time.monotonic()
        if left <= 0:
            os.kill(child, signal.SIGKILL)
        ready = select.select(watched, [], [], None if kill_at == float("inf") else max(left, 0.05))[0]
        if wake in ready:
            os.read(wake, 4096)
        if lifeline in ready:  # nothing is ever written to it, so this is the end of the parent
            asked_to_stop = True
            watched.remove(lifeline)
    kill_all(child)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
