"""A backup holds everything, and a restore never writes over what is there."""

import zipfile
from pathlib import Path

import psycopg2
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from members.models import Company, Member

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_backup_holds_the_database_and_the_files_and_is_private(
    alice: Member, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    (settings.MEDIA_ROOT / "exports").mkdir(parents=True)
    (settings.MEDIA_ROOT / "exports" / "a.csv").write_text("a")
    target = tmp_path / "backup.zip"
    call_command("backup", str(target))
    with zipfile.ZipFile(target) as archive:
        assert archive.read("files/exports/a.csv") == b"a"
        assert archive.read("database.dump").startswith(b"PGDMP")
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(target))


def test_a_restored_database_is_the_same(alice: Member, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    target = tmp_path / "backup.zip"
    call_command("backup", str(target))
    connection.ensure_connection()
    fields = connection.get_connection_params()
    original = connection.settings_dict["NAME"]
    address = {key: fields[key] for key in ("host", "port", "user", "password") if fields.get(key)}
    admin = psycopg2.connect(dbname=original, **address)
    admin.autocommit = True
    try:
        admin.cursor().execute("CREATE DATABASE restored_by_test TEMPLATE template0")
        connection.close()
        connection.settings_dict["NAME"] = "restored_by_test"
        call_command("restore", str(target))
        assert Company.objects.get().name == "Acme"
        with pytest.raises(CommandError, match="not empty"):
            call_command("restore", str(target))
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original
        admin.cursor().execute("DROP DATABASE IF EXISTS restored_by_test")
        admin.close()


def test_what_is_no_backup_is_refused_before_anything_is_written(
    alice: Member, tmp_path: Path
) -> None:
    file = tmp_path / "x.zip"
    file.write_text("no")
    with pytest.raises(CommandError):
        call_command("restore", str(file))
    assert Company.objects.count() == 1
