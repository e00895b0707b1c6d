"""``manage.py import_numbers FILE`` and ``manage.py import_numbers --areas FILE``"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.features.stock import import_areas, import_numbers
from skypemgr.lib.commands import existing_file, or_refuse, tell_import


class Command(BaseCommand):
    help = "Adds the phone numbers of a CSV file to the stock; with --areas, the file's areas."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--areas", action="store_true", help="the file lists areas")

    def handle(self, *_args: Any, **options: Any) -> None:
        work = import_areas if options["areas"] else import_numbers
        with existing_file(options["file"]).open("rb") as file:
            result = or_refuse(lambda: work(file))
        tell_import(self, result.counts, result.refused)
