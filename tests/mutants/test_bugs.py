"""Every planted bug still finds its place, and the tests that must catch it."""

from pathlib import Path

import pytest

from tests.mutants.bugs import BUGS
from tests.mutants.planting import Bug

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_finds_its_place_once_and_its_tests(bug: Bug) -> None:
    texts: dict[str, str] = {}
    for change in bug.changes:
        text = texts.setdefault(change.path, (PROJECT / change.path).read_text(encoding="utf-8"))
        assert text.count(change.old) == 1, change.path
        texts[change.path] = text.replace(change.old, change.new)
    for test in bug.tests:
        path, _colons, name = test.partition("::")
        text = (PROJECT / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, test
