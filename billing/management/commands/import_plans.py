"""``manage.py import_plans FILE``"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.features.catalogue import import_plans
from skypemgr.lib.commands import existing_file, or_refuse, tell_import


class Command(BaseCommand):
    help = "Adds the plans and prices of a CSV file to the catalogue, or changes them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")

    def handle(self, *_args: Any, **options: Any) -> None:
        with existing_file(options["file"]).open("rb") as file:
            result = or_refuse(lambda: import_plans(file))
        tell_import(self, result.counts, result.refused)
