"""Keeps services running, in order, until it is told to stop.

Its one rule: what is started is known to the watchdog before anything else happens, so that nothing
outlives this process however it ends.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from skypemgr.stack import watchdog
from skypemgr.stack.process import StackError, spawn, stop
from skypemgr.stack.services import Program, Service

TICK_SECONDS = 0.2
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a service that ran this long starts anew with the first delay
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(line: str) -> None:
    """One line for whoever started the stack."""
    print(line, flush=True)


class Stopped(Exception):
    """The stack was told to stop while it was still starting."""


class Watch:
    """One service and what is known about how it does."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.started_at = time.monotonic()
        self.delay = FIRST_DELAY_SECONDS
        self.start_again_at: float | None = None

    @property
    def is_running(self) -> bool:
        process = self.service.process
        return process is not None and process.poll() is None


class Supervisor:
    """Services in the order in which they start; they stop in the opposite one."""

    def __init__(self) -> None:
        self.watches: list[Watch] = []
        self.is_stopping = False
        self._dog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Supervisor":
        for number in STOP_SIGNALS:
            signal.signal(number, self._ask_to_stop)
        self._start_watchdog()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self, service: Service) -> None:
        """The service has started and is watched."""
        self.check()
        watch = Watch(service)
        self.watches.append(watch)
        service.start()
        self._tell_watchdog()

    def run_once(self, program: Program) -> None:
        """The command has ended well; a stop asked for meanwhile ends it and raises Stopped."""
        self.start(program)
        while (process := program.process) is not None and process.poll() is None:
            if self.is_stopping:
                break
            time.sleep(TICK_SECONDS / 4)
        self.watches.pop()
        code = process.poll() if process is not None else None
        program.stop()
        self.check()
        if code:
            raise StackError(f"{program.name} failed.")

    def check(self) -> None:
        """Raises Stopped once a stop was asked for."""
        if self.is_stopping:
            raise Stopped

    def keep_running(self) -> None:
        """Returns when a stop was asked for; until then what dies is started again."""
        while not self.is_stopping:
            for watch in self.watches:
                self._look_after(watch)
            if self._dog is None or self._dog.poll() is not None:
                self._start_watchdog()
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """Every service has ended, the last started first, and so has the watchdog."""
        while self.watches:
            self.watches[-1].service.stop()
            self.watches.pop()
        if self._dog is not None:
            self._tell_watchdog()
            if self._dog.stdin is not None:
                self._dog.stdin.close()
            stop(self._dog, seconds=2)
            self._dog = None

    def _look_after(self, watch: Watch) -> None:
        now = time.monotonic()
        if watch.is_running:
            if now - watch.started_at > STEADY_SECONDS:
                watch.delay = FIRST_DELAY_SECONDS
            return
        if watch.start_again_at is None:
            process = watch.service.process
            reason = f"ended ({process.returncode})" if process is not None else "does not start"
            say(f"{watch.service.name} {reason}, starting it again in {watch.delay:g} s.")
            watch.service.stop()  # what it left in its process group
            watch.start_again_at = now + watch.delay
            watch.delay = min(watch.delay * 2, LONGEST_DELAY_SECONDS)
        elif now >= watch.start_again_at and not self.is_stopping:
            watch.start_again_at = None
            watch.started_at = now
            try:
                watch.service.start()
            except StackError as error:
                say(str(error))
            self._tell_watchdog()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    def _start_watchdog(self) -> None:
        # -I: a file of its own that needs nothing of the project, wherever it is started.
        command = [sys.executable, "-I", str(Path(watchdog.__file__))]
        self._dog = spawn(command, stdin=subprocess.PIPE, death_signal=0)
        self._tell_watchdog()

    def _tell_watchdog(self) -> None:
        services = [watch.service for watch in self.watches]
        children = [(s.process.pid, int(s.stop_signal)) for s in services if s.process is not None]
        if self._dog is None or self._dog.stdin is None:
            return
        try:
            self._dog.stdin.write(json.dumps(children).encode() + b"\n")
            self._dog.stdin.flush()
        except BrokenPipeError:  # it is started again at the next tick
            return
