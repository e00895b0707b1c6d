"""The database driver: Django prefers psycopg 3 in silence wherever it can be imported."""

import importlib.util

from django.db import connection
from django.db.backends.postgresql import psycopg_any


def test_psycopg_3_cannot_be_imported() -> None:
    assert importlib.util.find_spec("psycopg") is None


def test_django_speaks_through_psycopg2() -> None:
    assert connection.vendor == "postgresql"
    assert psycopg_any.is_psycopg3 is False
