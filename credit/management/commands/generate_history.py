"""``generate_history``: a long past with very many calls, for development and measurements."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from credit.generating_history import generate_history
from members.actors import Actor
from members.models import Member
from members.models.people import Role
from skypemgr.lib.commands import or_refuse, refuse
from skypemgr.lib.periods import utc_now

CALLS_LIMIT, MEMBERS_LIMIT, MONTHS_LIMIT = 100_000_000, 1_000_000, 120


class Command(BaseCommand):
    """Gives a company that has moved no credit yet a past; refused in production."""

    help = "Give a company a past: members, allocations and calls of many months (development)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", type=int, required=True, help="the company's id")
        parser.add_argument("--members", type=int, default=100_000, help="at least so many")
        parser.add_argument("--calls", type=int, default=10_000_000)
        parser.add_argument("--months", type=int, default=36, help="up to now")
        parser.add_argument("--seed", type=int, default=1, help="the same draws alike")

    def handle(self, *_args: Any, **options: Any) -> None:
        """The past is there; a line for each month as it is written."""
        if settings.PRODUCTION:
            raise refuse("A made-up past is not for production.")
        limits = {"members": MEMBERS_LIMIT, "calls": CALLS_LIMIT, "months": MONTHS_LIMIT}
        for name, limit in limits.items():
            if not 0 < options[name] <= limit:
                raise refuse(f"--{name} takes 1 to {limit}.")
        administrator = (
            Member.objects.select_related("company", "user")
            .filter(
                company=options["company"],
                role=Role.ADMINISTRATOR,
                status=Member.Status.ACTIVE,
            )
            .order_by("pk")
            .first()
        )
        if administrator is None:
            raise refuse(f"There is no company {options['company']} with an administrator.")
        actor, started = Actor.of_member(administrator), time.monotonic()

        def tell(line: str) -> None:
            self.stdout.write(f"{time.monotonic() - started:6.0f} s  {line}")

        or_refuse(
            lambda: generate_history(
                actor,
                members=options["members"],
                calls=options["calls"],
                months=options["months"],
                seed=options["seed"],
                now=utc_now(),
                tell=tell,
            )
        )
