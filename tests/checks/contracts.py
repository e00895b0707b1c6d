"""Runs the import contracts of pyproject.toml from wherever Python is, without a script on PATH."""

import sys

from importlinter.cli import lint_imports

if __name__ == "__main__":
    sys.exit(lint_imports(is_debug_mode=False, no_cache=True, no_logo=True))
