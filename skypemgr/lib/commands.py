"""What management commands share. Its one rule: exit 0 all done, 1 some refused, 2 nothing done."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from skypemgr.lib.errors import ProductError

T = TypeVar("T")
DONE, SOME_REFUSED, NOTHING_DONE = 0, 1, 2


def refuse(message: object) -> CommandError:
    """The error that ends a command with exit code 2."""
    return CommandError(str(message), returncode=NOTHING_DONE)


def or_refuse(work: Callable[[], T]) -> T:
    """What the work returns; a ProductError ends the command with its sentence."""
    try:
        return work()
    except ProductError as error:
        raise refuse(error) from error


def existing_file(name: str) -> Path:
    """The path of a readable file."""
    path = Path(name)
    if not path.is_file():
        raise refuse(f"There is no file {name}.")
    return path


def tell_import(
    command: BaseCommand, counts: Mapping[str, int], refused: Sequence[tuple[int, str]]
) -> None:
    """What became of a file's rows is printed; the exit code says whether all, some or none."""
    for line, code in refused:
        command.stderr.write(f"line {line}: {code}")
    told = [f"{count} {verdict}" for verdict, count in counts.items()]
    command.stdout.write(", ".join([*told, f"{len(refused)} refused"]))
    if refused:
        sys.exit(SOME_REFUSED if any(counts.values()) else NOTHING_DONE)


def instant(text: str) -> datetime:
    """An ISO instant with its zone, such as 2026-04-01T00:00:00+02:00."""
    try:
        parsed = parse_datetime(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise refuse(f"{text} is not an instant such as 2026-04-01T00:00:00+02:00.")
    return parsed
