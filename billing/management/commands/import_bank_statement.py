"""``manage.py import_bank_statement FILE``"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.bank_statements import import_statement
from skypemgr.lib.commands import NOTHING_DONE, SOME_REFUSED, existing_file, or_refuse


class Command(BaseCommand):
    help = "Imports a bank statement and credits the purchases that its payments name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0 when all rows are read, 1 when some are refused, 2 when none is read."""
        path = existing_file(options["file"])
        with path.open("rb") as file:
            result = or_refuse(lambda: import_statement(file, name=path.name))
        for row in result.refused:
            self.stderr.write(f"line {row.line}, {row.column}: {row.message}")
        self.stdout.write(
            f"{result.stored_count} new, {result.already_count} already there,"
            f" {result.ignored_count} out; {result.settled_count} credited,"
            f" {result.waiting_count} waiting, {len(result.refused)} refused"
        )
        if result.refused:
            sys.exit(SOME_REFUSED if result.statement else NOTHING_DONE)
