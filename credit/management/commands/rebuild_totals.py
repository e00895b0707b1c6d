"""``manage.py rebuild_totals [--company ID]``"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from credit.rebuilding import rebuild_totals
from credit.usage_rollup import rebuild_usage
from members.models import Company
from skypemgr.lib.periods import utc_now


class Command(BaseCommand):
    help = (
        "Makes daily and rolled totals anew from the transfers, and sums of calls from the calls;"
        " movements wait meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", type=int, help="id of the company (default: each one)")

    def handle(self, *_args: Any, **options: Any) -> None:
        companies = Company.objects.order_by("pk")
        if options["company"] is not None:
            companies = companies.filter(pk=options["company"])
            if not companies.exists():
                raise CommandError(f"There is no company {options['company']}.")
        for company in companies:
            count = rebuild_totals(company, now=utc_now())
            rebuild_usage(company, now=utc_now())
            self.stdout.write(f"company {company.pk}: {count} daily totals")
