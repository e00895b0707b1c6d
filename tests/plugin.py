"""Throw-away PostgreSQL and Valkey for the tests, started before Django reads its settings.

Its one rule: one pair of servers per run; the processes of pytest-xdist share it, each with its own
test database and its own Valkey database. What starts servers of its own runs in one process, begun
first so that the others never wait for it.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from skypemgr.stack.postgres import Postgres
from skypemgr.stack.valkey import Valkey

WORKER = "PYTEST_XDIST_WORKER"
IN_A_ROW = ("tests/scenarios/test_killed_worker.py", "tests/stack/")


def start_servers(config: pytest.Config, home: Path) -> None:
    """The environment names servers that run until the tests end, or those it named already."""
    if not os.environ.get("DATABASE_URL"):
        postgres = Postgres(home / "postgres", password=secrets.token_hex(16), durable=False)
        config.add_cleanup(postgres.stop)
        postgres.start()
        os.environ["DATABASE_URL"] = postgres.url
    if not os.environ.get("REDIS_URL"):
        valkey = Valkey(home / "valkey", password=secrets.token_hex(16), durable=False)
        config.add_cleanup(valkey.stop)
        valkey.start()
        os.environ["REDIS_URL"] = valkey.url


def prepare_run(config: pytest.Config) -> None:
    """What the settings read from the environment is there, and nobody else's data is in reach."""
    home = Path(tempfile.mkdtemp(prefix="skypemgr-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ["VAR_DIR"] = str(home / "var")
    os.environ["SECRET_KEY"] = secrets.token_hex(32)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")
    # Playwright's synchronous interface runs an event loop, which Django takes for an async view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    start_servers(config, home)


def prepare_worker() -> None:
    """This process of pytest-xdist has a Valkey database and files of its own."""
    number = int(os.environ[WORKER].removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number}").geturl()
    os.environ["VAR_DIR"] = f"{os.environ['VAR_DIR']}-{number}"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Runs round pytest-django's own hook of this name, which reads the settings."""
    if WORKER in os.environ:
        prepare_worker()
    else:
        prepare_run(early_config)
    yield


class InARow(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """Each test goes to whoever is free; the largest scope, that of those in a row, begins."""

    def _split_scope(self, nodeid: str) -> str:
        """The name of what one process runs."""
        return "in a row" if nodeid.startswith(IN_A_ROW) else nodeid


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InARow:
    """Who runs what."""
    return InARow(config, log)
