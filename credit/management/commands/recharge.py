"""``manage.py recharge [--at ISO] [--company ID]``"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from credit.sweeps import resume_rules, sweep_due_purses
from skypemgr.lib.commands import instant, refuse
from skypemgr.lib.periods import utc_now


class Command(BaseCommand):
    help = "Evaluates every due auto-recharge rule, resuming those whose month has come."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at", help="book at this instant; ahead of now not in production")
        parser.add_argument("--company", type=int)

    def handle(self, *_args: Any, **options: Any) -> None:
        now = instant(options["at"]) if options["at"] else utc_now()
        if settings.PRODUCTION and now > utc_now():
            raise refuse("--at must not be ahead of now in production.")
        resumed = resume_rules(now=now)
        recharged = sweep_due_purses(now=now, company_id=options["company"])
        self.stdout.write(f"{resumed} resumed, {recharged} recharged")
