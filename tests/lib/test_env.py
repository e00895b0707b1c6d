"""The readers of the environment."""

import pytest

from skypemgr.lib import env


@pytest.mark.parametrize(
    ("word", "value"),
    [("1", True), ("TRUE", True), (" yes ", True), ("0", False), ("off", False)],
)
def test_a_boolean_is_read_in_any_case(
    monkeypatch: pytest.MonkeyPatch, word: str, value: bool
) -> None:
    monkeypatch.setenv("A_VALUE", word)
    assert env.boolean("A_VALUE", not value) is value


@pytest.mark.parametrize(
    ("word", "value"), [("90", 90), ("90s", 90), ("5m", 300), ("2H", 7_200), ("30d", 2_592_000)]
)
def test_a_duration_is_read_in_seconds(
    monkeypatch: pytest.MonkeyPatch, word: str, value: int
) -> None:
    monkeypatch.setenv("A_VALUE", word)
    assert env.seconds("A_VALUE") == value


def test_an_empty_variable_gives_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_VALUE", " ")
    assert env.text("A_VALUE", "default") == "default"
    assert env.boolean("A_VALUE", True) is True
    assert env.integer("A_VALUE", 7) == 7
    assert env.seconds("A_VALUE", 7) == 7
    assert env.items("A_VALUE", "a, b") == ["a", "b"]


@pytest.mark.parametrize(
    ("reader", "word"),
    [
        (env.boolean, "perhaps"),
        (env.integer, "1.5"),
        (env.seconds, "5 minutes"),
        (env.seconds, "-1"),
    ],
)
def test_a_malformed_variable_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, reader: object, word: str
) -> None:
    monkeypatch.setenv("A_VALUE", word)
    assert callable(reader)
    with pytest.raises(env.InvalidVariable, match="A_VALUE"):
        reader("A_VALUE")


def test_items_are_trimmed_and_empty_ones_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_VALUE", "a, b,,c ,")
    assert env.items("A_VALUE") == ["a", "b", "c"]


def test_a_database_is_named_by_its_address() -> None:
    found = env.database("postgres://me:a%2Fb@host:6543/portal?sslmode=require")
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "portal",
        "USER": "me",
        "PASSWORD": "a/b",
        "HOST": "host",
        "PORT": "6543",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_database_behind_a_socket_is_named_by_its_folder() -> None:
    assert env.database("postgresql:///portal?host=/run/postgresql")["HOST"] == "/run/postgresql"


@pytest.mark.parametrize("address", ["mysql://me@host/portal", "postgres://me@host/", "portal"])
def test_another_kind_of_database_is_refused(address: str) -> None:
    with pytest.raises(env.InvalidVariable, match="DATABASE_URL"):
        env.database(address)
