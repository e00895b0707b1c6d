"""Every promise of docs/guarantees.md names tests that exist."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TEST = r"`(?:tests/[\w/]+\.py)?::test_\w+`"
PROMISE = re.compile(rf"^- .+\. → (?P<tests>{TEST}(?:, {TEST})*)$")


def is_proven(line: str) -> bool:
    found = PROMISE.match(line)
    if not found:
        return False
    path = ""
    for named, name in re.findall(r"`(tests/[\w/]+\.py)?::(test_\w+)`", found["tests"]):
        # A test without a file is of the file before.
        path = named or path
        place = PROJECT / path
        if not place.is_file() or f"\ndef {name}(" not in place.read_text(encoding="utf-8"):
            return False
    return True


def test_every_promise_names_a_test_that_exists() -> None:
    lines = (PROJECT / "docs" / "guarantees.md").read_text(encoding="utf-8").splitlines()
    promises = [line for line in lines if line.startswith("- ")]
    assert promises
    assert [line for line in promises if not is_proven(line)] == []
