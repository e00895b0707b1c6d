"""Long files of calls: how fast the product writes them, beside the database's own COPY of the same
rows and columns in the same order, and in how much memory.

Its one rule: a fresh process writes them by the verb that the page calls, so that its memory is
what the files took.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import django
from django.db import connection

from benchmarks.figures import Figure, at_least, at_most, best_rates, memory, seconds

ROUNDS = 5
SHEET_ROWS = 200_000
CALLS = """
SELECT call.started_at, call.started_on, call.booked_on, member.name AS member, call.destination,
       call.country, 1 AS calls, call.duration_seconds, call.included_seconds, call.price,
       call.collected, call.uncollected, company.currency
  FROM credit_call call
  JOIN members_member member ON member.id = call.member_id
  JOIN members_company company ON company.id = call.company_id
 WHERE call.company_id = %(company)s AND call.member_id = %(member)s
 ORDER BY call.started_at DESC, call.id DESC
"""


def measure(member_id: int, viewer_id: int, calls: int) -> Iterator[Figure]:
    """A CSV of the member's calls as the viewer may read them, and a workbook of at most 200,000 of
    them.
    """
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.exports", str(member_id), str(viewer_id)],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(answer.stdout)
    if found["lines"] != calls + 1:
        raise AssertionError(f"{found['lines']} lines of {calls} calls")
    yield at_least(
        f"CSV of {calls:,} calls, of COPY's own {found['copy']:,.0f}/s", found["ratio"], 0.4, ""
    )
    yield at_most("memory of the process that wrote it", found["csv_memory"], 150, " MB")
    rows = found["rows"]
    yield at_most(f"XLSX of {rows:,} rows", found["xlsx"], 40 * rows / SHEET_ROWS, " s")
    yield at_most("memory of the process that wrote both", found["xlsx_memory"], 150, " MB")


def main(member_id: int, viewer_id: int) -> None:
    """The figures are printed as JSON."""
    # Only now: they read the settings.
    from members.models import Member  # noqa: PLC0415
    from skypemgr.lib.periods import utc_now  # noqa: PLC0415
    from skypemgr.portal.call_search import search_in  # noqa: PLC0415
    from skypemgr.portal.exporting_calls import download_calls  # noqa: PLC0415
    from skypemgr.portal.scope import Scope  # noqa: PLC0415
    from skypemgr.portal.spans import first_day  # noqa: PLC0415

    people = Member.objects.select_related("company", "user", "list")
    member, viewer = people.get(pk=member_id), people.get(pk=viewer_id)
    company, now = member.company, utc_now()
    everything = {"company": company.pk, "member": member.pk}

    def file_of(form: str, first: date) -> Any:
        wanted = {"from": first.isoformat(), "to": company.day_at(now).isoformat()}
        search = search_in(Scope(company, member=member), wanted, viewer=viewer, now=now)
        if not search.shows_member:
            raise AssertionError("single calls are not shown")
        return download_calls(search, form=form, language="fr", zone="Europe/Paris")

    def plain() -> int:
        with tempfile.TemporaryFile() as file, connection.cursor() as cursor:
            rows = cursor.mogrify(CALLS, everything).decode()
            cursor.copy_expert(f"COPY ({rows}) TO STDOUT (FORMAT csv)", file)
            return int(cursor.rowcount)

    def ours() -> int:
        file_of("csv", first_day(company)).close()
        return calls

    # The first time for all: tables come into memory. Here the lines are counted too.
    calls = plain()
    lines = sum(part.count(b"\n") for part in file_of("csv", first_day(company)).streaming_content)
    copied, own = best_rates(plain, ours, rounds=ROUNDS)
    found = {"copy": copied, "ratio": own / copied, "lines": lines, "csv_memory": memory()}
    since, rows = latest(everything)
    found |= {"rows": rows, "xlsx": seconds(lambda: file_of("xlsx", since).close())}
    print(json.dumps(found | {"xlsx_memory": memory()}))


def latest(everything: dict[str, int]) -> tuple[date, int]:
    """Since which day there are at most 200,000 calls, and how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT started_on, sum(count(*)) OVER (ORDER BY started_on DESC)::bigint
                 FROM credit_call WHERE company_id = %(company)s AND member_id = %(member)s
                GROUP BY started_on ORDER BY started_on DESC""",
            everything,
        )
        fitting = [row for row in cursor.fetchall() if row[1] <= SHEET_ROWS]
    day, rows = fitting[-1]
    return day, rows


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]))
