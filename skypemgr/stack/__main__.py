"""`python -m skypemgr.stack`: the whole portal in one command, until it is stopped.

Its one rule: one stack per VAR_DIR, and everything that is kept is kept there.
"""

import fcntl
import os
import secrets
import socket
import sys
import time
from pathlib import Path
from typing import IO

from skypemgr.lib import env
from skypemgr.stack import address, services
from skypemgr.stack.health import is_well
from skypemgr.stack.postgres import Postgres
from skypemgr.stack.process import LOOPBACK, StackError, make_home
from skypemgr.stack.services import Program
from skypemgr.stack.supervisor import Stopped, Supervisor, say
from skypemgr.stack.valkey import Valkey

LOCK_SECONDS = 2.0  # commands look at the lock for a moment
PORT_SECONDS = 10.0  # what a stack killed hard before us may need to be gone
READY_SECONDS = 90.0
COMMAND_STOP_SECONDS = 5.0
PROJECT = address.PROJECT


def lock(folder: Path) -> IO[str]:
    """The folder is ours until the file is closed or this process ends, however it ends."""
    file = (folder / address.LOCK_NAME).open("a+")
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                found = address.read_json(folder / address.FILE_NAME)
                where = f" at {found['url']} (process {found['pid']})" if "url" in found else ""
                raise StackError(
                    f"The portal already runs on {folder}{where}. Stop it, or set VAR_DIR and PORT."
                ) from None
            time.sleep(0.1)


def load_secrets(folder: Path) -> dict[str, str]:
    """The installation's own secrets, made on the first start and kept."""
    path = folder / "secrets.json"
    found = address.read_json(path)
    for name in ("SECRET_KEY", "postgres", "valkey"):
        found.setdefault(name, secrets.token_urlsafe(48))
    address.write_private(path, found)
    return {name: str(value) for name, value in found.items()}


def await_free_port() -> None:
    """The web server's port can be taken."""
    deadline = time.monotonic() + PORT_SECONDS
    family = socket.AF_INET6 if ":" in services.host() else socket.AF_INET
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((services.host(), services.port()))
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    place = f"{services.host()}:{services.port()}"
                    raise StackError(
                        f"{place} cannot be used ({error.strerror}): set PORT."
                    ) from None
        time.sleep(0.2)


def start_servers(supervisor: Supervisor, folder: Path) -> None:
    """The environment names a PostgreSQL and a Valkey that answer: those it named, else our own."""
    own = load_secrets(folder)
    if not env.text("SECRET_KEY"):
        os.environ["SECRET_KEY"] = own["SECRET_KEY"]
    if not env.text("DATABASE_URL"):
        postgres = Postgres(folder / "postgres", password=own["postgres"])
        supervisor.start(postgres)
        os.environ["DATABASE_URL"] = postgres.url
    if not env.text("REDIS_URL"):
        valkey = Valkey(folder / "valkey", password=own["valkey"])
        supervisor.start(valkey)
        os.environ["REDIS_URL"] = valkey.url


def manage(supervisor: Supervisor, name: str, *arguments: str) -> None:
    """The management command has ended well."""
    command = [str(PROJECT / "manage.py"), name, *arguments]
    supervisor.run_once(
        Program(f"manage.py {name}", command, cwd=PROJECT, stop_seconds=COMMAND_STOP_SECONDS)
    )


def await_web(supervisor: Supervisor) -> None:
    """The portal answers."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_well():
        supervisor.check()
        if any(not watch.is_running for watch in supervisor.watches):
            raise StackError("A part of the portal ended while it was starting, see above.")
        if time.monotonic() > deadline:
            raise StackError("The portal does not answer, see above.")
        time.sleep(0.1)


def logins(folder: Path) -> str:
    """The demo's logins, as the command that made them wrote them down."""
    found = address.read_json(folder / "demo.json").get("logins", [])
    parts = [f"{item['role']} {item['login']} / {item['password']}" for item in found]
    return " · ".join(["", *parts])


def run(folder: Path, supervisor: Supervisor) -> None:
    """The portal ran until it was told to stop."""
    public = {LOOPBACK: "localhost", "0.0.0.0": "localhost", "::": "localhost"}  # noqa: S104
    url = f"http://{public.get(services.host(), services.host())}:{services.port()}/"
    (folder / "static").mkdir(exist_ok=True)  # where collectstatic writes; looked at in any case
    await_free_port()
    start_servers(supervisor, folder)
    shared = {name: os.environ[name] for name in address.SHARED_NAMES}
    address.publish(folder, {"url": url, **shared})
    say("Preparing the database …")
    manage(supervisor, "migrate", "--noinput", "--verbosity", "0")
    if env.boolean("PRODUCTION"):
        manage(supervisor, "collectstatic", "--noinput", "--verbosity", "0")
    elif env.boolean("DEMO", True):
        manage(supervisor, "demo", "--if-empty")
    supervisor.start(services.worker(PROJECT))
    supervisor.start(services.beat(PROJECT, folder))
    supervisor.start(services.web(PROJECT))
    await_web(supervisor)
    say(f"Skype Manager is ready at {url}{logins(folder)}")
    supervisor.keep_running()


def main() -> int:
    """0 after a stop that was asked for, 1 with one line that says why not."""
    folder = address.var_dir()
    os.environ["VAR_DIR"] = str(folder)
    try:
        if not folder.exists():
            make_home(folder)
        with lock(folder), Supervisor() as supervisor:
            try:
                run(folder, supervisor)
            except Stopped:
                pass
            finally:
                say("Stopping …")
                supervisor.stop()
                address.withdraw(folder)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    say("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
