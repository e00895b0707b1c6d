"""What the files of the project must not say or be.

Its one rule: a file that names a package registry's host would tie everybody to it.
"""

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 400
# Written so that this line is not found by itself.
REGISTRY = re.compile(r"(?:py[p]i|pythonhoste[d]|npmj[s]|deb\.debia[n])\.(?:org|com)")
BINARY = {".mo", ".png", ".jpg", ".ico", ".woff2", ".ttf", ".xlsx", ".pdf", ".gz"}


def tracked_files() -> list[Path]:
    """The files of the project that git knows, or will know."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [PROJECT / name for name in answer.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def complaints(path: Path) -> list[str]:
    """What is wrong with one file."""
    place = path.relative_to(PROJECT)
    if path.suffix in BINARY or "vendor" in place.parts:
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [
        f"{place}:{number}: names a package registry's host"
        for number, line in enumerate(lines, 1)
        if REGISTRY.search(line)
    ]
    is_code = path.suffix == ".py" and "migrations" not in place.parts
    if is_code and place.parts[0] != "tests" and len(lines) > LONGEST_FILE:
        found.append(f"{place}: {len(lines)} lines, split it by noun ({LONGEST_FILE} at most)")
    return found


def main() -> int:
    """0 if nothing is to complain about."""
    found = [line for path in tracked_files() for line in complaints(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
