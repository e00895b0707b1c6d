"""``manage.py import_rates FILE [--company ID]``"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from credit.rates import import_rates
from members.models import Company
from skypemgr.lib.commands import existing_file, or_refuse, refuse, tell_import


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
        counts = {"added": result.accepted_count, "already there": result.already_count}
        tell_import(self, counts, result.refused)
