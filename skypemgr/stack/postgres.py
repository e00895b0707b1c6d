"""The embedded PostgreSQL: its data folder is made once and serves one server at a time.

Its one rule: durable unless it is thrown away after a test.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg2

from skypemgr.stack.binaries import find_postgres, postgres_major, reachable_postgres
from skypemgr.stack.process import (
    LOOPBACK,
    Account,
    StackError,
    free_port,
    is_open_to_all,
    make_home,
    server_account,
    spawn,
    stop,
    wait_until,
)

ROLE = DATABASE = "skypemgr"
BUILTIN_LOCALE_SINCE = 17
READY_LINE = 7  # the eighth line of postmaster.pid
READY_SECONDS = 120  # replaying the log after a hard kill takes its time
RETRY_SECONDS = 10  # what a server killed hard before us may need to be gone
STOP_SECONDS = 30
TUNING = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "password_encryption": "scram-sha-256",
    "synchronous_commit": "on",
    "fsync": "on",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
}


class Postgres:
    """One server on the folder `home`; `url` is where it answers once `start` has returned."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # a fast shutdown: clients are cut off, nothing is lost

    def __init__(self, home: Path, *, password: str, durable: bool = True) -> None:
        self.home = home.absolute()
        self.password = password
        self.durable = durable
        self.port = 0  # kept once the server has answered there: the environment of others names it
        self._settled = False
        self.process: subprocess.Popen[bytes] | None = None
        self.account: Account = server_account()
        self._handle: int | None = None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def url(self) -> str:
        return (
            f"postgres://{ROLE}:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/{DATABASE}"
        )

    def start(self) -> None:
        """The server accepts connections and the database exists."""
        self._prepare_home()
        version_file = self.data / "PG_VERSION"
        major = int(version_file.read_text().strip()) if version_file.exists() else None
        found = find_postgres(major)
        programs = reachable_postgres(found, private=self.account.user is not None)
        if major is None:
            self._initialise(programs)
        self._launch(programs)
        self._ensure_database()

    def stop(self) -> None:
        """The server has ended: cleanly, or at once where its data is thrown away."""
        if self.process is not None:
            how = self.stop_signal if self.durable else signal.SIGQUIT
            stop(self.process, how=how, seconds=STOP_SECONDS)
            self.process = None
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _prepare_home(self) -> None:
        make_home(self.home)
        if (
            self._handle is None
            and self.account.user is not None
            and not is_open_to_all(self.home.parent)
        ):
            if not sys.platform.startswith("linux"):
                raise StackError(
                    f"{self.home.parent} is closed to others: set VAR_DIR to an open folder."
                )
            self._handle = os.open(self.home, os.O_RDONLY | os.O_DIRECTORY)

    @property
    def _view(self) -> Path:
        """The home folder as the server sees it: by a handle where it may not walk down to it."""
        return self.home if self._handle is None else Path(f"/proc/self/fd/{self._handle}")

    @property
    def _handles(self) -> tuple[int, ...]:
        return () if self._handle is None else (self._handle,)

    def _initialise(self, programs: Path) -> None:
        # initdb may have been cut short: without PG_VERSION nothing in there was ever used.
        unfinished = self.home / "unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self.account.owns(unfinished)
        secret = self.home / "password"
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self.password + "\n")
        self.account.owns(secret)
        command: list[str | Path] = [programs / "initdb", "--username", ROLE]
        command += ["--pgdata", self._view / unfinished.name]
        command += ["--pwfile", self._view / secret.name, "--auth", "scram-sha-256"]
        command += ["--encoding", "UTF8", *self._locale(programs)]
        if not self.durable:
            command.append("--no-sync")
        with (self.home / "initdb.log").open("wb") as log:
            code = spawn(command, account=self.account, output=log, pass_fds=self._handles).wait()
        secret.unlink()
        if code:
            raise StackError(
                "initdb failed: " + (self.home / "initdb.log").read_text(errors="replace")[-2000:]
            )
        unfinished.rename(self.data)

    def _locale(self, programs: Path) -> list[str | Path]:
        """One collation everywhere; names sort by keys of ours, letters are folded by Unicode."""
        if postgres_major(programs) >= BUILTIN_LOCALE_SINCE:
            return ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        return ["--locale", "C.UTF-8" if sys.platform.startswith("linux") else "en_US.UTF-8"]

    def _launch(self, programs: Path) -> None:
        tuning = TUNING if self.durable else TUNING | THROW_AWAY
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            self.port = self.port if self._settled else free_port()
            command: list[str | Path] = [programs / "postgres", "-D", self._view / "data"]
            for name, value in (tuning | {"port": str(self.port)}).items():
                command += ["-c", f"{name}={value}"]
            with (self.home / "log").open("ab") as log:
                process = spawn(
                    command,
                    account=self.account,
                    output=log,
                    death_signal=self.stop_signal,
                    pass_fds=self._handles,
                )
            self.process = process
            if wait_until(self._is_ready, seconds=READY_SECONDS, process=process):
                self._settled = True
                return
            stop(process, how=signal.SIGQUIT, seconds=5)
            if time.monotonic() > deadline:
                raise StackError("PostgreSQL does not start: " + self._last_words())
            time.sleep(0.5)

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        ours = self.process is not None and lines[:1] == [str(self.process.pid)]
        return ours and len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"

    def _last_words(self) -> str:
        return (self.home / "log").read_text(errors="replace")[-1500:]

    def _ensure_database(self) -> None:
        main_database = self.url.removesuffix(DATABASE) + "postgres"
        with closing(psycopg2.connect(main_database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{DATABASE}"')
