"""``manage.py verify_ledger``"""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from credit.closing import verify_closings
from credit.models import MonthClosing, Transfer
from credit.verification import CHECKS, MOST_TOLD, verify_ledger


class Command(BaseCommand):
    help = "Recomputes every figure of the ledger and of closed months; exits 1 on any difference."

    def handle(self, *_args: Any, **_options: Any) -> None:
        differences = verify_ledger()
        for difference in differences:
            self.stderr.write(
                f"{difference.check}: {difference.subject}: is {difference.stored},"
                f" should be {difference.computed}"
            )
        if len(differences) >= MOST_TOLD:
            self.stderr.write(f"Of each check at most {MOST_TOLD} differences are told.")
        changed = verify_closings()
        for closing in changed:
            self.stderr.write(
                f"closed month: company {closing.company_id} {closing.month:%Y-%m}:"
                f" is {closing.stored}, should be {closing.computed}"
            )
        if differences or changed:
            sys.exit(1)
        count, closed = Transfer.objects.count(), MonthClosing.objects.count()
        self.stdout.write(
            f"{len(CHECKS)} checks over {count} transfers and {closed} closed months: no difference"
        )
