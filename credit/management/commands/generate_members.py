"""``generate_members``: made-up members with credit, calls and rules, for development."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from credit.generating import generate_members
from members.actors import Actor
from members.models import Company, Member
from members.models.people import Role
from skypemgr.lib.commands import or_refuse, refuse
from skypemgr.lib.periods import utc_now

COUNT_LIMIT = 1_000_000


class Command(BaseCommand):
    """Adds people to a company; refused in production."""

    help = "Add made-up members with credit, calls and rules to a company (never in production)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", type=int, required=True, help="the company's id")
        parser.add_argument("--count", type=int, required=True, help="how many members")
        parser.add_argument("--seed", type=int, default=1, help="the same makes the same people")

    def handle(self, *args: Any, **options: Any) -> None:
        """The members are there; prints how many of what in how many seconds."""
        if settings.PRODUCTION:
            raise refuse("Made-up members are not for production.")
        count = options["count"]
        if not 0 < count <= COUNT_LIMIT:
            raise refuse(f"--count takes 1 to {COUNT_LIMIT}.")
        company = Company.objects.filter(pk=options["company"]).first()
        if company is None:
            raise refuse(f"There is no company {options['company']}.")
        administrator = (
            Member.objects.select_related("company", "user")
            .filter(company=company, role=Role.ADMINISTRATOR, status=Member.Status.ACTIVE)
            .first()
        )
        if administrator is None:
            raise refuse("The company has no active administrator.")
        # What a power cut takes is made again.
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit TO off")
        actor, started = Actor.of_member(administrator), time.monotonic()
        made = or_refuse(
            lambda: generate_members(company, actor, count, seed=options["seed"], now=utc_now())
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write(
            f"{made.members} members ({made.gone} gone, {made.suspended} suspended),"
            f" {made.calls} calls, {made.rules} rules in {time.monotonic() - started:.0f} s"
        )
