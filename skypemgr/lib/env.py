"""Typed readers of the environment.

Its one rule: an unset or empty variable gives the default, a malformed one stops the start.
"""

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
POSTGRES_SCHEMES = frozenset({"postgres", "postgresql", "pgsql"})
SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class InvalidVariable(ValueError):
    """A variable of the environment holds something that cannot be understood."""


def text(name: str, default: str = "") -> str:
    """The variable as it stands, without blanks around it."""
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool = False) -> bool:
    """1, true, yes, on or 0, false, no, off, in any case; anything else raises."""
    word = text(name).lower()
    if not word:
        return default
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise InvalidVariable(f"{name} must be 1 or 0, not {word!r}.")


def integer(name: str, default: int = 0) -> int:
    """A whole number; anything else raises."""
    word = text(name)
    if not word:
        return default
    try:
        return int(word)
    except ValueError as error:
        raise InvalidVariable(f"{name} must be a whole number, not {word!r}.") from error


def seconds(name: str, default: int = 0) -> int:
    """A duration in whole seconds; a number may end in s, m, h or d (90, 90s, 5m, 2h, 30d)."""
    word = text(name).lower()
    if not word:
        return default
    unit = SECONDS_PER_UNIT.get(word[-1])
    number = word if unit is None else word[:-1]
    if not number.isdecimal():
        raise InvalidVariable(f"{name} must be a duration such as 90, 90s, 5m or 2h, not {word!r}.")
    return int(number) * (unit or 1)


def items(name: str, default: str | list[str] | tuple[str, ...] = ()) -> list[str]:
    """The parts between commas, without blanks and without empty ones."""
    word = text(name)
    if not word and not isinstance(default, str):
        return list(default)
    parts = (part.strip() for part in (word or str(default)).split(","))
    return [part for part in parts if part]


def database(url: str) -> dict[str, Any]:
    """Django's settings of the database at postgres://user:password@host:port/name?option=value."""
    parts = urlsplit(url)
    if parts.scheme not in POSTGRES_SCHEMES:
        raise InvalidVariable(
            "DATABASE_URL must begin with postgres://, only PostgreSQL is supported."
        )
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise InvalidVariable("DATABASE_URL must end with /NAME of a database.")
    options = dict(parse_qsl(parts.query))
    settings: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # ?host=/path reaches a Unix socket, which has no place in the address itself.
        "HOST": options.pop("host", "") or parts.hostname or "",
        "PORT": str(parts.port or ""),
    }
    if options:
        settings["OPTIONS"] = options
    return settings
