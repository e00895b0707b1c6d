"""``manage.py import_calls FILE [--company ID]``"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from credit.call_files import import_calls
from members.models import Company
from skypemgr.lib.commands import (
    NOTHING_DONE,
    SOME_REFUSED,
    existing_file,
    or_refuse,
    refuse,
)


class Command(BaseCommand):
    help = "Charges the calls of a CSV file to the company's members."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--company", type=int, help="needed when there is more than one")

    def handle(self, *_args: Any, **options: Any) -> None:
        company = _company(options["company"])
        with existing_file(options["file"]).open("rb") as file:
            result = or_refuse(lambda: import_calls(file, company))
        for line, call, code in result.refused:
            self.stderr.write(f"line {line}: {call}: {code}")
        self.stdout.write(
            f"{result.charged_count} charged, {result.already_count} already there,"
            f" {len(result.refused)} refused"
        )
        if result.refused:
            done = result.charged_count or result.already_count
            sys.exit(SOME_REFUSED if done else NOTHING_DONE)


def _company(pk: int | None) -> Company:
    companies = Company.objects.all() if pk is None else Company.objects.filter(pk=pk)
    found = list(companies.order_by("pk")[:2])
    if len(found) == 1:
        return found[0]
    raise refuse("Name the company with --company ID." if found else "There is no such company.")
