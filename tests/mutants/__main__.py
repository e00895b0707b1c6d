"""``make mutants``: plants each bug in a copy of the project and runs the tests that must catch it.

Its one rule: only a test that fails catches; an error on the way catches nothing. Arguments choose
bugs whose name has one of the words.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from skypemgr.stack.postgres import Postgres
from skypemgr.stack.valkey import Valkey
from tests.mutants.bugs import BUGS
from tests.mutants.planting import Bug

PROJECT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis", "screenshots")
LONGEST_SECONDS = 300
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


def plant(copy: Path, bug: Bug) -> dict[Path, str]:
    """The bug is in the copy; what was there before."""
    before: dict[Path, str] = {}
    for change in bug.changes:
        path = copy / change.path
        text = path.read_text(encoding="utf-8")
        before.setdefault(path, text)
        if text.count(change.old) != 1:
            sys.exit(f"{bug.name}: its text is {text.count(change.old)} times in {change.path}")
        path.write_text(text.replace(change.old, change.new), encoding="utf-8")
    return before


def run_tests(copy: Path, tests: Sequence[str], *options: str) -> tuple[int, str]:
    """pytest's exit code (0 for a hang that was cut) and what it said."""
    there = [test for test in tests if (copy / test.split("::")[0]).exists()]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=no", "-rfE", *options, *there]
    try:
        answer = subprocess.run(
            [*command, "-p", "no:cacheprovider", "-W", "ignore"],
            cwd=copy,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 0, "no end"
    return answer.returncode, answer.stdout + answer.stderr


def catches(copy: Path, bug: Bug) -> str:
    """The test that catches the bug; empty if it survives."""
    before = plant(copy, bug)
    touches_tables = any("/migrations/" in str(path) for path in before)
    try:
        _code, said = run_tests(copy, bug.tests, "--create-db" if touches_tables else "--reuse-db")
    finally:
        for path, text in before.items():
            path.write_text(text, encoding="utf-8")
    found = FAILED.search(said)
    if not found:
        print(said[-1500:], flush=True)
        return ""
    return found.group(1).rpartition("::")[2]


def main(words: Sequence[str]) -> int:
    """0 if every chosen bug is caught."""
    chosen = [bug for bug in BUGS if not words or any(word in bug.name for word in words)]
    # Those that change tables come last: the database of the others is kept between them.
    chosen.sort(key=lambda bug: any("/migrations/" in change.path for change in bug.changes))
    with tempfile.TemporaryDirectory(prefix="skypemgr-mutants-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        copy = home / "project"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        postgres = Postgres(home / "postgres", password=secrets.token_hex(16), durable=False)
        valkey = Valkey(home / "valkey", password=secrets.token_hex(16), durable=False)
        try:
            postgres.start()
            valkey.start()
            os.environ |= {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
            return survivors(copy, chosen)
        finally:
            valkey.stop()
            postgres.stop()


def survivors(copy: Path, chosen: Sequence[Bug]) -> int:
    """How many were caught by no test; all tests pass while no bug is planted."""
    tests = sorted({test for bug in chosen for test in bug.tests})
    code, said = run_tests(copy, tests, "--create-db", "--reuse-db")
    if code:
        print(said)
        return 1
    survived = []
    for number, bug in enumerate(chosen, 1):
        started = time.monotonic()
        test = catches(copy, bug)
        seconds = time.monotonic() - started
        said = f"caught by {test}" if test else "SURVIVED"
        print(f"{number:2}/{len(chosen)} {bug.name}: {said} ({seconds:.0f} s)", flush=True)
        if not test:
            survived.append(bug.name)
    print(f"Survived: {', '.join(survived)}." if survived else "Every planted bug was caught.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
