#!/usr/bin/env python
"""Commands of the portal; they find the servers of a running stack by themselves."""

import os
import sys

from django.core.management import execute_from_command_line

from skypemgr.stack.address import use_running_servers


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")
    use_running_servers()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
