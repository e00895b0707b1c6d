"""``manage.py verify_ledger``"""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from credit.models import Transfer
from credit.verification import CHECKS, verify_ledger


class Command(BaseCommand):
    help = "Recomputes every figure of the ledger from its transfers; exits 1 on any difference."

    def handle(self, *_args: Any, **_options: Any) -> None:
        differences = verify_ledger()
        for difference in differences:
            self.stderr.write(
                f"{difference.check}: {difference.subject}: is {difference.stored},"
                f" should be {difference.computed}"
            )
        if differences:
            sys.exit(1)
        count = Transfer.objects.count()
        self.stdout.write(f"{len(CHECKS)} checks over {count} transfers: no difference")
