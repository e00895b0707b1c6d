"""``manage.py stop_purchases``: the kill switch."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.switches import stop_purchases
from members.models import Company
from skypemgr.lib.commands import refuse


class Command(BaseCommand):
    help = (
        "Stops purchases, everywhere or of one company. Charges already sent are still settled; "
        "resume_purchases undoes it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which company, and whether people may still buy by hand."""
        parser.add_argument("--company", type=int, help="the id of one company; all without it")
        parser.add_argument(
            "--automatic", action="store_true", help="stop auto-recharge only, not people"
        )
        parser.add_argument("--reason", default="", help="shown to administrators")

    def handle(self, *args: Any, **options: Any) -> None:
        """The switch is set."""
        company = None
        if options["company"] is not None:
            company = Company.objects.filter(pk=options["company"]).first()
            if company is None:
                raise refuse(f"There is no company {options['company']}.")
        stop_purchases(
            company=company, automatic_only=options["automatic"], reason=options["reason"]
        )
        what = "Auto-recharge" if options["automatic"] else "Purchases"
        self.stdout.write(f"{what} stopped: {company or 'all companies'}.")
