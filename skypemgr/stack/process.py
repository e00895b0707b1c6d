"""Child processes: each in a process group of its own, and none outlives its parent.

Its one rule: children are started from the main thread, because Linux ends them when the *thread*
that started them ends.
"""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
UNPRIVILEGED_NAME, UNPRIVILEGED_ID = "nobody", 65534
POLL_SECONDS = 0.02
LOOPBACK = "127.0.0.1"


class StackError(RuntimeError):
    """Something in the stack cannot start; the message is for the person who started it."""


@dataclass(frozen=True)
class Account:
    """The user and group a server runs as; None means whoever we are."""

    user: int | None = None
    group: int | None = None

    def owns(self, path: Path) -> None:
        """The file or folder belongs to this account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def server_account() -> Account:
    """Where we are root, servers run as nobody: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return Account()
    try:
        nobody = pwd.getpwnam(UNPRIVILEGED_NAME)
    except KeyError:
        return Account(UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    return Account(nobody.pw_uid, nobody.pw_gid)


def make_home(folder: Path) -> None:
    """The folder is there and ours; a server that runs as nobody may only pass through it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def is_open_to_all(path: Path) -> bool:
    """Whether any user may pass every folder above and read (and enter or run) the path itself."""
    path = path.resolve()
    if any(not parent.stat().st_mode & 0o001 for parent in path.parents):
        return False
    wanted = 0o005 if path.is_dir() or os.access(path, os.X_OK) else 0o004
    return path.stat().st_mode & wanted == wanted


def _prctl() -> Callable[[int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    function: Callable[[int, int], int] = libc.prctl
    return function


# Resolved once here: between fork and exec nothing may load a library.
PRCTL = _prctl()


def dies_with_parent(death_signal: int) -> Callable[[], None] | None:
    """What a child runs before exec so that Linux signals it when its parent is gone."""
    prctl = PRCTL
    if prctl is None:
        return None
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it went between fork and the line above
            os._exit(1)

    return ask_the_kernel


def spawn(
    command: Sequence[str | Path],
    *,
    account: Account | None = None,
    cwd: Path | str = "/",
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
    stdin: int = subprocess.DEVNULL,
    death_signal: int = signal.SIGTERM,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """The command runs in a session of its own and is signalled when this process is gone."""
    if threading.current_thread() is not threading.main_thread():
        raise StackError("Children of the stack are started from the main thread only.")
    account = account or Account()
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=str(cwd),
        env=dict(env) if env is not None else None,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        user=account.user,
        group=account.group,
        extra_groups=[] if account.user is not None else None,
        # Safe: it runs one system call, and there are no threads that could hold a lock.
        preexec_fn=dies_with_parent(death_signal),  # noqa: PLW1509
        pass_fds=tuple(pass_fds),
    )


def wait_for_exit(process: subprocess.Popen[bytes], *, seconds: float) -> bool:
    """Whether the process ended within the time."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def kill_group(group: int) -> None:
    """Nothing of the process group is left."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return


def stop(
    process: subprocess.Popen[bytes], *, how: int = signal.SIGTERM, seconds: float = 10
) -> None:
    """The process, asked first and then made to, and what it started in its group have ended."""
    if process.poll() is None:
        process.send_signal(how)
        wait_for_exit(process, seconds=seconds)
    kill_group(process.pid)
    process.wait()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody used a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(
    ready: Callable[[], bool], *, seconds: float, process: subprocess.Popen[bytes] | None = None
) -> bool:
    """Whether the condition came true in time and, if one is named, while the process ran."""
    deadline = time.monotonic() + seconds
    while process is None or process.poll() is None:
        if ready():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return False
