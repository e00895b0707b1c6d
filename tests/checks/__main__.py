"""`make check`. Its one rule: every check runs, and all that failed are named at the end."""

import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable

CHECKS: dict[str, list[str]] = {
    "lint": [PYTHON, "-m", "ruff", "check", "--quiet", "."],
    "format": [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."],
    "import contracts": [PYTHON, "-m", "tests.checks.contracts"],
    "migrations": [PYTHON, "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"],
    "settings": [PYTHON, "-W", "ignore", "manage.py", "check"],
    "translations": [PYTHON, "-m", "tests.checks.translations"],
    "templates": [PYTHON, "-m", "djlint", "--lint", "--quiet", "templates"],
    "tree": [PYTHON, "-m", "tests.checks.tree"],
    "types": [PYTHON, "-m", "mypy", "--no-error-summary"],
}


def main(names: list[str]) -> int:
    """0 if all checks, or those named, hold."""
    failed = []
    for name in names or CHECKS:
        started = time.monotonic()
        answer = subprocess.run(
            CHECKS[name],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        holds = answer.returncode == 0
        seconds = time.monotonic() - started
        print(f"{'ok  ' if holds else 'FAIL'} {name} ({seconds:.1f} s)", flush=True)
        if not holds:
            print(answer.stdout.strip(), flush=True)
            failed.append(name)
    print(f"Failed: {', '.join(failed)}." if failed else "All checks hold.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
