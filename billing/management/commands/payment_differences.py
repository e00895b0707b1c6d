"""``manage.py payment_differences [--day D] [--gateway G]``"""

import sys
from datetime import UTC, date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.errors import GatewayNotConfigured
from billing.gateways.base import Gateway, GatewayUnavailable
from billing.gateways.registry import find_gateway, list_gateways
from billing.models import GatewayDay, PaymentIncident
from billing.reconciliation import compare_day
from skypemgr.lib.commands import refuse
from skypemgr.lib.periods import utc_now


class Command(BaseCommand):
    help = (
        "Compares a finished day (UTC; yesterday unless told) of each gateway with our purchases,"
        " charge by charge; exits 1 on any difference, 2 if a gateway does not answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--day", help="YYYY-MM-DD")
        parser.add_argument("--gateway", help="one gateway only")

    def handle(self, *_args: Any, **options: Any) -> None:
        day = _read_day(options["day"])
        results = [self._compare(gateway, day) for gateway in _read_gateways(options["gateway"])]
        waiting = PaymentIncident.objects.filter(resolved_at=None).count()
        self.stdout.write(f"{waiting} open payment incidents")
        if any(results):
            sys.exit(max(results))

    def _compare(self, gateway: Gateway, day: date) -> int:
        """0 if the day agrees or cannot be listed, 1 if not, 2 without an answer."""
        try:
            row = compare_day(gateway, day)
        except GatewayUnavailable:
            self.stderr.write(f"{gateway.name} {day}: no answer, try again later")
            return 2
        if row is None:
            self.stdout.write(f"{gateway.name} {day}: this gateway cannot list its charges")
            return 0
        self._print(row)
        return 1 if row.differences else 0

    def _print(self, row: GatewayDay) -> None:
        for found in row.differences:
            self.stderr.write(
                f"{row}: {found['what']}: {found['key']}:"
                f" here {found['ours'] or '-'}, there {found['theirs'] or '-'}"
            )
        self.stdout.write(
            f"{row}: here {row.ours_count} purchases{_join(row.ours_sums)},"
            f" there {row.theirs_count} charges{_join(row.theirs_sums)},"
            f" {len(row.differences)} differences"
        )


def _read_day(text: str | None) -> date:
    today = utc_now().astimezone(UTC).date()
    if text is None:
        return today - timedelta(days=1)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise refuse(f"--day: {text} is no date; write YYYY-MM-DD.") from error
    if day >= today:
        raise refuse("--day: only a finished day (UTC) can be compared.")
    return day


def _read_gateways(name: str | None) -> list[Gateway]:
    if name is None:
        return list_gateways()
    try:
        return [find_gateway(name)]
    except GatewayNotConfigured as error:
        raise refuse(f"--gateway: {name} is not used here; see GATEWAYS.") from error


def _join(sums: dict[str, str]) -> str:
    amounts = ", ".join(f"{amount} {currency}" for currency, amount in sums.items())
    return f" ({amounts})" if amounts else ""
