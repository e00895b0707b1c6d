"""A job whose time is up stops: what goes on after the failure of one lets the time limit pass."""

import ast
from collections.abc import Iterator
from pathlib import Path

from billiard.exceptions import SoftTimeLimitExceeded

PROJECT = Path(__file__).resolve().parents[2]
LIMIT = SoftTimeLimitExceeded.__name__


def swallowing(source: str) -> Iterator[int]:
    """The lines that catch whatever happens, the time limit too, and go on."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Try):
            continue
        lets_pass = False
        for handler in node.handlers:
            caught = ast.unparse(handler.type) if handler.type else "BaseException"
            lets_pass = lets_pass or caught == LIMIT
            goes_on = not isinstance(handler.body[-1], ast.Raise)
            if caught in ("Exception", "BaseException") and goes_on and not lets_pass:
                yield handler.lineno


def test_nothing_goes_on_when_its_time_is_up() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{line}"
        for app in ("members", "credit", "billing", "skypemgr")
        for path in sorted((PROJECT / app).rglob("*.py"))
        for line in swallowing(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_handler_that_goes_on_is_found() -> None:
    assert list(swallowing("try:\n  work()\nexcept Exception:\n  log()\n")) == [3]
    passing = "try:\n  work()\nexcept SoftTimeLimitExceeded:\n  raise\nexcept Exception:\n  log()\n"
    assert list(swallowing(passing)) == []
