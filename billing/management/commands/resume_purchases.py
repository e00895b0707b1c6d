"""``manage.py resume_purchases``: the kill switch is off again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.switches import resume_purchases
from members.models import Company
from skypemgr.lib.commands import refuse


class Command(BaseCommand):
    help = "Allows purchases again, by hand and automatic ones, everywhere or of one company."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which company."""
        parser.add_argument(
            "--company", type=int, help="the id of one company; the installation without it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """The switches are off."""
        company = None
        if options["company"] is not None:
            company = Company.objects.filter(pk=options["company"]).first()
            if company is None:
                raise refuse(f"There is no company {options['company']}.")
        resume_purchases(company=company)
        self.stdout.write(f"Purchases allowed: {company or 'all companies'}.")
