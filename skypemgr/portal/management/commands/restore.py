"""``manage.py restore FILE``"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from skypemgr.portal.backups import restore_backup


class Command(BaseCommand):
    help = "Fills an empty database and the folder of files from a backup."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        restore_backup(options["file"])
        self.stdout.write("Restored. Now: manage.py migrate, then manage.py verify_ledger.")
