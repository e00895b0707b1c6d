"""``manage.py backup FILE``"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from skypemgr.portal.backups import save_backup


class Command(BaseCommand):
    help = "Saves the database and the stored files in one file; the portal may be running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        size = save_backup(options["file"])
        self.stdout.write(f"{options['file']}: {size:,} bytes")
