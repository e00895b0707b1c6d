"""The two embedded servers, each on a folder of its own."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from skypemgr.stack import binaries
from skypemgr.stack.postgres import Postgres
from skypemgr.stack.process import StackError, is_open_to_all
from skypemgr.stack.valkey import Valkey

PASSWORD = "a:b/c d%e"


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "closed" / "postgres", password=PASSWORD)
    server.home.parent.mkdir(mode=0o700)
    yield server
    server.stop()


def ask(server: Postgres, statement: str) -> object:
    with closing(psycopg2.connect(server.url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row[0] if row else None


def test_postgres_starts_below_a_closed_folder_and_is_durable(postgres: Postgres) -> None:
    postgres.start()
    names = ("fsync", "synchronous_commit", "full_page_writes")
    assert [ask(postgres, f"SHOW {name}") for name in names] == ["on", "on", "on"]
    assert ask(postgres, "SHOW listen_addresses") == "127.0.0.1"


def test_postgres_folds_letters_by_unicode(postgres: Postgres) -> None:
    postgres.start()
    assert ask(postgres, "SELECT upper('émile') || lower('ÉMILE')") == "ÉMILEémile"


def test_postgres_refuses_another_password(postgres: Postgres) -> None:
    postgres.start()
    wrong = Postgres(postgres.home, password="another")
    wrong.port = postgres.port
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask(wrong, "SELECT 1")


def test_data_of_a_version_that_is_not_installed_is_refused_and_named(postgres: Postgres) -> None:
    postgres.data.mkdir(parents=True)
    (postgres.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(StackError, match="PostgreSQL 9, which wrote the data, was not found"):
        postgres.start()
    assert [path.name for path in postgres.data.iterdir()] == ["PG_VERSION"]


def test_a_database_cut_short_while_it_was_made_is_made_anew(postgres: Postgres) -> None:
    unfinished = postgres.home / "unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "half").write_text("half")
    postgres.start()
    assert ask(postgres, "SELECT 1") == 1
    assert not unfinished.exists()


def test_valkey_keeps_what_it_was_given(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey", password="abc")
    try:
        server.start()
        first = server.port
        server.stop()
        server.start()
        assert server.port == first
        assert list((server.data / "appendonlydir").iterdir())
    finally:
        server.stop()


def test_a_program_below_a_closed_folder_is_copied_for_nobody(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "valkey-server"
    shutil.copy(binaries.find_valkey(), program)
    assert binaries.reachable_valkey(program, private=False) == program
    copy = binaries.reachable_valkey(program, private=True)
    try:
        assert is_open_to_all(copy)
        assert copy.read_bytes() == program.read_bytes()
        copy.unlink()  # as a cleaner of temporary files does
        assert binaries.reachable_valkey(program, private=True) == copy
        assert is_open_to_all(copy)
    finally:
        shutil.rmtree(copy.parent, ignore_errors=True)
    assert closed.stat().st_mode & 0o777 == 0o700
