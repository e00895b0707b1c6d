"""The embedded Valkey: messages, caches and page versions; nothing that may not be lost.

Its one rule: it answers on 127.0.0.1 only and asks for a password.
"""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from skypemgr.stack.binaries import find_valkey, reachable_valkey
from skypemgr.stack.process import (
    LOOPBACK,
    Account,
    StackError,
    free_port,
    make_home,
    server_account,
    spawn,
    stop,
    wait_until,
)

DATABASES = 64
READY_SECONDS = 20
RETRY_SECONDS = 10
STOP_SECONDS = 10


class Valkey:
    """One server on the folder `home`; `url` is where it answers once `start` has returned."""

    name = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, home: Path, *, password: str, durable: bool = True) -> None:
        self.home = home.absolute()
        self.password = password
        self.durable = durable
        self.port = 0  # kept once the server has answered there: the environment of others names it
        self._settled = False
        self.process: subprocess.Popen[bytes] | None = None
        self.account: Account = server_account()

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def url(self) -> str:
        return f"redis://:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """The server answers."""
        make_home(self.home)
        self.data.mkdir(exist_ok=True, mode=0o700)
        self.account.owns(self.data)
        program = reachable_valkey(find_valkey(), private=self.account.user is not None)
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            self.port = self.port if self._settled else free_port()
            process = self._spawn(program)
            self.process = process
            if wait_until(self._answers, seconds=READY_SECONDS, process=process):
                self._settled = True
                return
            self.stop()
            if time.monotonic() > deadline:
                words = (self.home / "log").read_text(errors="replace")[-1500:]
                raise StackError("Valkey does not start: " + words)
            time.sleep(0.2)

    def stop(self) -> None:
        """The server has ended and, where its data is kept, saved it."""
        if self.process is not None:
            how = self.stop_signal if self.durable else signal.SIGKILL
            stop(self.process, how=how, seconds=STOP_SECONDS)
            self.process = None

    def _spawn(self, program: Path) -> subprocess.Popen[bytes]:
        saving = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "300 1"]
        command: list[str | Path] = [program, "-", "--bind", LOOPBACK, "--port", str(self.port)]
        command += ["--databases", str(DATABASES), "--daemonize", "no"]
        command += saving if self.durable else ["--appendonly", "no", "--save", ""]
        # The password comes by standard input: the command line is open to every user.
        reader, writer = os.pipe()
        os.write(writer, f"requirepass {self.password}\n".encode())
        os.close(writer)
        try:
            with (self.home / "log").open("ab") as log:
                # It keeps its current folder, which works below closed ones: no path is walked.
                return spawn(command, account=self.account, cwd=self.data, output=log, stdin=reader)
        finally:
            os.close(reader)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(100)):
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"
