"""Times of pages on the server, from the request to the last byte of the answer, without the
network. Its one rule: of a kind of pages the slowest is told.
"""

import statistics
from collections.abc import Sequence

from django.core.cache import cache
from django.test import Client

from benchmarks.figures import Figure, at_most, seconds
from benchmarks.people import House

ROUNDS = 9
TARGET = 100


def sign_in(house: House) -> Client:
    """The administrator's browser."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(
        house.administrator.user, backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def slowest(client: Client, subject: str, addresses: Sequence[str], *, base: str = "") -> Figure:
    """The median of the slowest of these addresses, each below the base, against the target."""
    times = {address: median(client, f"{base}{address}") for address in addresses}
    worst = max(times, key=lambda address: times[address])
    named = f"{subject} (slowest of {len(times)}: {worst})" if len(times) > 1 else subject
    return at_most(named, times[worst], TARGET, " ms")


def median(client: Client, address: str, *, is_cold: bool = False) -> float:
    """Milliseconds in the middle one of several rounds; ``is_cold``: nothing is remembered."""
    times = []
    for _round in range(ROUNDS):
        if is_cold:
            cache.clear()
        times.append(seconds(lambda: _open(client, address)) * 1000)
    return statistics.median(times)


def _open(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
