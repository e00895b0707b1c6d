"""Where the running stack answers: a file in VAR_DIR that the stack writes and every command reads.

Its one rule: what the environment names always comes first.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from skypemgr.lib import env

PROJECT = Path(__file__).resolve().parents[2]
FILE_NAME = "stack.json"
LOCK_NAME = "stack.lock"
# What a command needs to reach the same servers and to read what they signed.
SHARED_NAMES = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")


def var_dir() -> Path:
    """The folder of everything the installation writes: VAR_DIR, else `var` in the project."""
    return Path(env.text("VAR_DIR", str(PROJECT / "var"))).expanduser().absolute()


def write_private(path: Path, content: dict[str, Any]) -> None:
    """The file holds the content, readable by us alone, and was never seen half written."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
    scratch.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The file's content; empty where it is missing, not ours to read, or broken."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def publish(folder: Path, values: dict[str, str]) -> None:
    """Commands started from now on find the servers at these addresses."""
    write_private(folder / FILE_NAME, {"pid": os.getpid(), **values})


def withdraw(folder: Path) -> None:
    """Commands started from now on are told that nothing runs."""
    (folder / FILE_NAME).unlink(missing_ok=True)


def is_running(folder: Path) -> bool:
    """Whether a stack holds the folder now; what a killed one left behind does not count."""
    try:
        with (folder / LOCK_NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def use_running_servers() -> None:
    """The environment names the servers of the stack on VAR_DIR, where it named none itself."""
    folder = var_dir()
    if not is_running(folder):
        return
    found = read_json(folder / FILE_NAME)
    for name in SHARED_NAMES:
        value = found.get(name)
        if isinstance(value, str) and value and not env.text(name):
            os.environ[name] = value
