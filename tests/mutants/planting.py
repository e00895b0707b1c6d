"""What a planted bug is. Its one rule: a change of text in one or more files of the project."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """``tests`` name files or tests, one of which must fail."""

    name: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]


def bug(name: str, path: str, old: str, new: str, *tests: str) -> Bug:
    """A bug of one change."""
    return Bug(name, (Change(path, old, new),), tests)
