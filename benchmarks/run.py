"""Sets Django up, measures each subject and writes RESULTS.md."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

django.setup()

from benchmarks import transfers  # noqa: E402 - models can be imported only now

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """The results are printed and stored."""
    call_command("migrate", verbosity=0)
    lines = ["# Results of the last `make bench`", "", machine(), ""]
    lines += ["| subject | figure |", "|---|---|"]
    for subject, figure in transfers.measure():
        lines.append(f"| {subject} | {figure} |")
        print(f"{subject:70} {figure}", flush=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def machine() -> str:
    """What it ran on, in one sentence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        version, fsync = cursor.fetchone()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} processors, Python {platform.python_version()},"
        f" PostgreSQL {version}, fsync {fsync}."
    )
