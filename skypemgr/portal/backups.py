"""Saves and restores an installation in one file. Its one rule: the database is dumped in one
snapshot, so a backup of a running portal is whole; a restore never writes over what is there.
"""

import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

from skypemgr.stack.binaries import find_postgres
from skypemgr.stack.process import StackError

DUMP, FILES = "database.dump", "files"


def save_backup(target: Path) -> int:
    """The file (zip) holds the database and the stored files; its size in bytes.

    Raises CommandError when the file exists or PostgreSQL's programs are missing or fail.
    """
    if target.exists():
        raise CommandError(f"{target} exists already; choose another name.")
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / DUMP
        _postgres("pg_dump", "--format=custom", "--no-owner", f"--file={dump}", *_database())
        part = target.with_name(target.name + ".part")
        part.touch(mode=0o600)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(dump, DUMP)
            for file in sorted(settings.MEDIA_ROOT.rglob("*")):
                archive.write(file, Path(FILES) / file.relative_to(settings.MEDIA_ROOT))
        part.replace(target)
    return target.stat().st_size


def restore_backup(source: Path) -> None:
    """The empty database and the empty folder of files hold what the backup held.

    Raises CommandError when there are tables or files already, or the file is no backup.
    """
    if connection.introspection.table_names():
        raise CommandError("The database is not empty. Restore into a new one.")
    files = settings.MEDIA_ROOT
    if files.is_dir() and any(files.iterdir()):
        raise CommandError(f"{files} is not empty. Move its files away first.")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(source) as archive:
                archive.extractall(folder)  # never leaves the folder, whatever the names
        except (zipfile.BadZipFile, OSError) as error:
            raise CommandError(f"{source} is not a backup: {error}") from error
        dump = Path(folder) / DUMP
        if not dump.is_file():
            raise CommandError(f"{source} is not a backup: it holds no {DUMP}.")
        _postgres("pg_restore", "--no-owner", "--exit-on-error", *_database(), str(dump))
        saved = Path(folder) / FILES
        if saved.is_dir():
            shutil.copytree(saved, files, dirs_exist_ok=True)


def _database() -> list[str]:
    fields = connection.get_connection_params()
    names = {"host": "host", "port": "port", "user": "username", "dbname": "dbname"}
    return [f"--{names[key]}={value}" for key, value in fields.items() if key in names and value]


def _postgres(program: str, *words: str) -> None:
    password = str(connection.settings_dict["PASSWORD"])
    try:
        done = subprocess.run(
            [str(find_postgres() / program), "--no-password", *words],
            env={**os.environ, "PGPASSWORD": password},
            capture_output=True,
            text=True,
            check=False,
        )
    except (OSError, StackError) as error:
        raise CommandError(f"{program} cannot be run: {error}") from error
    if done.returncode:
        raise CommandError(f"{program} failed: {done.stderr.strip()}")
