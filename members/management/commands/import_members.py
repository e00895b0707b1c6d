"""``manage.py import_members FILE [--company ID] [--all-or-nothing] [--dry-run]``"""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from members.actors import Actor
from members.import_columns import guess_mapping
from members.import_verdicts import RowCode
from members.import_work import advance_import
from members.importing import State, check_rows, import_rows, start_import
from members.models import Company, ImportJob
from skypemgr.lib.commands import (
    NOTHING_DONE,
    SOME_REFUSED,
    existing_file,
    or_refuse,
    refuse,
)

GOOD = (RowCode.OK, RowCode.IMPORTED)


class Command(BaseCommand):
    help = "Creates the members of a CSV or XLSX file; each is mailed a link to set a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--company", type=int, help="needed when there is more than one")
        parser.add_argument("--all-or-nothing", action="store_true")
        parser.add_argument("--dry-run", action="store_true", help="only tell what would happen")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0 when all rows are imported, 1 when some are refused, 2 when none is imported."""
        actor = Actor.system(_company(options["company"]))
        path = existing_file(options["file"])
        job = or_refuse(lambda: _check(actor, path))
        good = job.good_count
        stopped = options["all_or_nothing"] and job.refused_count
        if good and not stopped and not options["dry_run"]:
            wish = bool(options["all_or_nothing"])
            or_refuse(lambda: import_rows(actor=actor, job_id=job.pk, all_or_nothing=wish))
            job = advance_import(job.pk)
            good = job.imported_count
        for line, code in (
            job.rows.exclude(code__in=GOOD).order_by("line").values_list("line", "code")
        ):
            self.stderr.write(f"line {line}: {code}")
        word = "can be imported" if job.state == State.CHECKED else "imported"
        self.stdout.write(f"{good} {word}, {job.refused_count} refused")
        if stopped or not good:
            sys.exit(NOTHING_DONE)
        if job.refused_count:
            sys.exit(SOME_REFUSED)


def _check(actor: Actor, path: Path) -> ImportJob:
    with path.open("rb") as file:
        job = start_import(actor=actor, file=file, file_name=path.name)
    check_rows(actor=actor, job_id=job.pk, mapping=guess_mapping(job.header))
    return advance_import(job.pk)


def _company(pk: int | None) -> Company:
    companies = Company.objects.all() if pk is None else Company.objects.filter(pk=pk)
    found = list(companies.order_by("pk")[:2])
    if len(found) == 1:
        return found[0]
    raise refuse("Name the company with --company ID." if found else "There is no such company.")
