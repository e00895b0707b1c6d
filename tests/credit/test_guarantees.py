"""Every promise of docs/guarantees.md names tests of one file, all of which exist."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PROMISE = re.compile(
    r"^- .+\. → `(?P<path>tests/[\w/]+\.py)(?P<names>::test_\w+(`, `::test_\w+)*)`$"
)


def is_proven(line: str) -> bool:
    found = PROMISE.match(line)
    path = PROJECT / found["path"] if found else None
    if not found or path is None or not path.exists():
        return False
    text = path.read_text(encoding="utf-8")
    return all(f"\ndef {name}(" in text for name in re.findall(r"test_\w+", found["names"]))


def test_every_promise_names_a_test_that_exists() -> None:
    lines = (PROJECT / "docs" / "guarantees.md").read_text(encoding="utf-8").splitlines()
    promises = [line for line in lines if line.startswith("- ")]
    assert promises
    assert [line for line in promises if not is_proven(line)] == []
