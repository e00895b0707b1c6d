"""``manage.py renew [--at ISO] [--company ID]``"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from billing.renewals import end_overdue, renew_company, renew_due
from skypemgr.lib.commands import instant, refuse
from skypemgr.lib.periods import utc_now


class Command(BaseCommand):
    help = "Renews every feature that is due, and ends what is over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at", help="book at this instant; ahead of now not in production")
        parser.add_argument("--company", type=int)

    def handle(self, *_args: Any, **options: Any) -> None:
        now = instant(options["at"]) if options["at"] else utc_now()
        if settings.PRODUCTION and now > utc_now():
            raise refuse("--at must not be ahead of now in production.")
        company_id = options["company"]
        renewed = renew_company(company_id, now=now) if company_id else renew_due(now=now)
        ended = end_overdue(now=now)
        self.stdout.write(
            f"{renewed.paid_count} renewed, {renewed.unpaid_count} not paid,"
            f" {renewed.discontinued_count} discontinued, {ended} ended"
        )
