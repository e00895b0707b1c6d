"""Statements that a connection plans once."""

import pytest
from django.db import connection, transaction
from django.db.utils import DataError
from pytest_django import Settings

from skypemgr.lib.prepared import Prepared, fetch_all

pytestmark = pytest.mark.django_db

DOUBLE = Prepared("SELECT %(number)s::bigint * 2, %(word)s::text, %(number)s::bigint")
HALF = Prepared("SELECT %(whole)s::int / %(part)s::int")


def _planned(statement: Prepared) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE name = %s", [statement.name]
        )
        return int(cursor.fetchone()[0])


def test_a_value_may_stand_in_several_places_and_quotes_do_no_harm() -> None:
    assert fetch_all((DOUBLE, {"number": 21, "word": "l'été; %"})) == [(42, "l'été; %", 21)]


def test_the_rows_are_those_of_the_last_of_several() -> None:
    values = {"whole": 8, "part": 2}
    assert fetch_all((DOUBLE, {"number": 1, "word": ""}), (HALF, values)) == [(4,)]


def test_a_connection_plans_a_statement_once_even_if_it_is_rolled_back() -> None:
    with pytest.raises(DataError), transaction.atomic():
        fetch_all((HALF, {"whole": 1, "part": 0}))
    assert fetch_all((HALF, {"whole": 9, "part": 3})) == [(3,)]
    assert _planned(HALF) == 1


def test_without_planning_the_result_is_the_same(settings: Settings) -> None:
    settings.PREPARED_STATEMENTS = False
    alone = Prepared("SELECT %(number)s::int + 1")
    assert fetch_all((alone, {"number": 1})) == [(2,)]
    assert _planned(alone) == 0


def test_a_statement_that_the_database_refuses_to_plan_is_not_taken_for_planned() -> None:
    wrong = Prepared("SELECT nothing FROM nowhere WHERE id = %(id)s")
    for _attempt in range(2):
        with pytest.raises(Exception, match="nowhere"), transaction.atomic():
            fetch_all((wrong, {"id": 1}))
