"""``manage.py import_rates FILE [--company ID]``"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from credit.rates import import_rates
from members.models import Company
from skypemgr.lib.commands import (
    NOTHING_DONE,
    SOME_REFUSED,
    existing_file,
    or_refuse,
    refuse,
)


class Command(BaseCommand):
    help = "Adds the rates of a CSV file to the installation's deck, or to a company's own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--company", type=int, help="the deck of this company only")

    def handle(self, *_args: Any, **options: Any) -> None:
        company = None
        if options["company"] is not None:
            company = Company.objects.filter(pk=options["company"]).first()
            if company is None:
                raise refuse(f"There is no company {options['company']}.")
        with existing_file(options["file"]).open("rb") as file:
            result = or_refuse(lambda: import_rates(file, company))
        for line, code in result.refused:
            self.stderr.write(f"line {line}: {code}")
        self.stdout.write(
            f"{result.accepted_count} added, {result.already_count} already there,"
            f" {len(result.refused)} refused"
        )
        if result.refused:
            done = result.accepted_count or result.already_count
            sys.exit(SOME_REFUSED if done else NOTHING_DONE)
