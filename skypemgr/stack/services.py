"""What the stack runs beside its two servers: web, worker and beat, each one command.

Its one rule: every value comes from the environment, with a default fit for one small machine.
"""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from skypemgr.lib import env
from skypemgr.stack.process import LOOPBACK, spawn, stop

DEFAULT_PORT = 8000
WEB_STOP_SECONDS = 10
WORKER_STOP_SECONDS = 30


class Service(Protocol):
    """Something that runs as one process group."""

    @property
    def name(self) -> str: ...
    @property
    def stop_signal(self) -> int: ...
    @property
    def process(self) -> subprocess.Popen[bytes] | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Program:
    """A command that runs until it is stopped."""

    def __init__(self, name: str, command: list[str], *, cwd: Path, stop_seconds: float) -> None:
        self.name = name
        self.command = command
        self.cwd = cwd
        self.stop_seconds = stop_seconds
        self.stop_signal: int = signal.SIGTERM
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """The command runs; whether it does well shows later."""
        self.process = spawn(
            [sys.executable, *self.command], cwd=self.cwd, death_signal=self.stop_signal
        )

    def stop(self) -> None:
        """The command and all it started have ended."""
        if self.process is not None:
            stop(self.process, how=self.stop_signal, seconds=self.stop_seconds)
            self.process = None


def host() -> str:
    """The address the web server listens on."""
    return env.text("HOST", LOOPBACK)


def port() -> int:
    """The port the web server listens on."""
    return env.integer("PORT", DEFAULT_PORT)


def web(project: Path) -> Program:
    """Granian: WEB_WORKERS processes of WEB_THREADS threads."""
    command = ["-m", "granian", "--interface", "wsgi", "--host", host(), "--port", str(port())]
    command += ["--workers", str(env.integer("WEB_WORKERS", 2))]
    command += ["--blocking-threads", str(env.integer("WEB_THREADS", 4)), "--no-ws"]
    command += ["--respawn-failed-workers", "--respawn-interval", "0.5"]
    command += ["--workers-kill-timeout", str(WEB_STOP_SECONDS - 2), "--log-level", "warning"]
    command.append("skypemgr.wsgi:application")
    return Program("web", command, cwd=project, stop_seconds=WEB_STOP_SECONDS)


def celery(*arguments: str) -> list[str]:
    """The Celery command, without its banner."""
    # As root Celery warns that messages could be forged; ours are JSON behind a password.
    quiet = ["-W", "ignore:You're running the worker with superuser privileges"]
    level = ["--loglevel", env.text("LOG_LEVEL", "WARNING")]
    return [*quiet, "-m", "celery", "--quiet", "--app", "skypemgr", *arguments, *level]


def worker(project: Path) -> Program:
    """Celery's prefork pool; the settings say how many processes."""
    command = celery("worker", "--pool", "prefork", "--without-gossip", "--without-mingle")
    return Program("worker", command, cwd=project, stop_seconds=WORKER_STOP_SECONDS)


def beat(project: Path, var_dir: Path) -> Program:
    """Celery Beat; when what was last sent is remembered in VAR_DIR."""
    folder = var_dir / "beat"
    folder.mkdir(parents=True, exist_ok=True)
    command = celery("beat", "--schedule", str(folder / "schedule"), "--pidfile", "")
    return Program("beat", command, cwd=project, stop_seconds=WEB_STOP_SECONDS)
