"""Ends the children of the stack when the process that watches over them is gone without a word.

Its one rule: standard library only, run as a file of its own. It reads a list of
[process group, signal] in JSON, one line each time the children change, from a pipe that only the
watched process holds open; the end of that pipe is the end of that process. An empty list means
that nothing is left to do.
"""

import json
import os
import signal
import sys
import time

GRACE_SECONDS = 8.0
POLL_SECONDS = 0.05


def _signal_group(group: int, number: int) -> bool:
    """Whether the group was still there."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS answers so for a group of which only zombies are left
        return False
    return True


def _signal_leader(leader: int, number: int) -> None:
    try:
        os.kill(leader, number)
    except (ProcessLookupError, PermissionError):
        return


def end(children: list[tuple[int, int]]) -> None:
    """None of the groups has a process left."""
    for leader, number in children:
        _signal_leader(leader, number)
    deadline = time.monotonic() + GRACE_SECONDS
    groups = [leader for leader, _ in children]
    while groups and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        groups = [group for group in groups if _signal_group(group, 0)]
    for group in groups:
        _signal_group(group, signal.SIGKILL)


def main() -> None:
    """Wait for the end of the watched process, then end what it left."""
    children: list[tuple[int, int]] = []
    for line in sys.stdin:
        children = [(int(group), int(number)) for group, number in json.loads(line)]
    end(children)


if __name__ == "__main__":
    main()
