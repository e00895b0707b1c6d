#!/usr/bin/env python3
"""Everything that `make` offers, on a bare machine: prepares `.venv` once, then does what is asked.

Its one rule: standard library only, and what is installed is pinned by hash.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
OLDEST, NEWEST = (3, 11), (3, 13)
TEST_PROCESSES = "2"

USAGE = """usage: python3 bootstrap.py COMMAND [ARGUMENT …]

  run            start the whole portal (PORT, HOST, VAR_DIR, DEMO=0 are honoured)
  test           run the tests; arguments go to pytest
  check          lint, types, import contracts, migrations, translations, templates
  bench          measure speed against its targets: an hour; with --quick a few minutes
  mutants        plant bugs, each of which a test must catch
  stress         kill worker, web and database again and again, then check the ledger
  lock           pin the requirements anew
  messages       collect and compile the translations
  manage         a command of the portal, such as: manage verify_ledger
  shell          Python with the portal's models
  install        prepare .venv and nothing else
"""


def fail(message: str) -> "None":
    """Ends the program with the message."""
    print(message, file=sys.stderr)
    sys.exit(1)


def use_supported_python() -> None:
    """This process runs on a supported Python, another one from PATH if need be."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, *sys.argv])  # noqa: S606
    here = ".".join(str(part) for part in sys.version_info[:2])
    fail(f"Python 3.{OLDEST[1]} to 3.{NEWEST[1]} is needed and was not found (this is {here}).")


def succeeds(command: list[str], **environment: str) -> bool:
    """Whether the command ended well; what it says is shown if it did not."""
    answer = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode:
        print(answer.stdout[-3000:], file=sys.stderr)
    return answer.returncode == 0


def venv_is_usable() -> bool:
    """Whether `.venv` is there, runs, and was made by a supported Python in this very place."""
    if not PYTHON.exists():
        return False
    probe = "import sys; print(sys.prefix, *sys.version_info[:2], sep='\\n')"
    answer = subprocess.run(
        [str(PYTHON), "-c", probe], capture_output=True, text=True, check=False, cwd="/"
    )
    lines = answer.stdout.splitlines()
    if answer.returncode or len(lines) != len(("prefix", "major", "minor")):
        return False
    version = (int(lines[1]), int(lines[2]))
    return Path(lines[0]).resolve() == VENV.resolve() and OLDEST <= version <= NEWEST


def make_venv() -> None:
    """`.venv` is there; where Python cannot make one, the system package that can is named."""
    if venv_is_usable():
        return
    if VENV.exists():
        shutil.rmtree(VENV)
    uv = shutil.which("uv")
    if importlib.util.find_spec("ensurepip") is not None:
        venv.EnvBuilder(with_pip=True, symlinks=True).create(VENV)
    elif uv is None or not succeeds([uv, "venv", "--seed", "--python", sys.executable, str(VENV)]):
        minor = sys.version_info[1]
        fail(
            "Python cannot make a virtual environment here. Install the system package and try "
            f"again: apt-get install python3-venv (or python3.{minor}-venv; as root or with sudo)."
        )


def digest(name: str) -> str:
    """What identifies the content of a requirements file."""
    return hashlib.sha256((PROJECT / name).read_bytes()).hexdigest()


def installed() -> dict[str, str]:
    """The requirements files that `.venv` already has, by their digest."""
    try:
        content = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def locked_block(name: str) -> str:
    """The lines of one package in the development requirements, with its hashes."""
    lines = (PROJECT / DEVELOPMENT).read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"{name}=="))
    block = [lines[start]]
    for line in lines[start + 1 :]:
        if not line.startswith(" "):
            break
        block.append(line)
    return "\n".join(block) + "\n"


def pip_settings() -> dict[str, str]:
    """Where pip was told to find packages and certificates, in the words of uv."""
    answer = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    found = {}
    for line in answer.stdout.splitlines():
        name, _, value = line.partition("=")
        found[name.rpartition(".")[2]] = value.strip("'\"").replace("\\n", " ").strip()
    pairs = {
        "UV_DEFAULT_INDEX": found.get("index-url") or os.environ.get("PIP_INDEX_URL"),
        "UV_INDEX": found.get("extra-index-url") or os.environ.get("PIP_EXTRA_INDEX_URL"),
        "UV_FIND_LINKS": found.get("find-links") or os.environ.get("PIP_FIND_LINKS"),
        "SSL_CERT_FILE": found.get("cert") or os.environ.get("PIP_CERT"),
    }
    if pairs["UV_INDEX"]:
        pairs["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip does; the hashes decide
    return {name: value for name, value in pairs.items() if value and name not in os.environ}


def uv_command() -> list[str]:
    """The installer uv: from PATH, else installed into `.venv` by its locked hash; empty if not."""
    found = shutil.which("uv")
    if found:
        return [found]
    if (VENV / "bin" / "uv").exists():
        return [str(VENV / "bin" / "uv")]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(locked_block("uv"))
        file.flush()
        command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        answer = subprocess.run(
            [*command, "--require-hashes", "-r", file.name], capture_output=True, check=False
        )
    return [str(VENV / "bin" / "uv")] if answer.returncode == 0 else []


def install(*names: str) -> None:
    """`.venv` has what the requirements files pin; nothing is done where it already has."""
    have = installed() if venv_is_usable() else {}
    wanted = {name: digest(name) for name in names}
    if wanted.items() <= have.items():
        return
    make_venv()
    print(f"Installing {' and '.join(names)} into .venv …", flush=True)
    files = [part for name in names for part in ("-r", name)]
    uv = uv_command()
    by_uv = [*uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", *files]
    if not uv or not succeeds(by_uv, **pip_settings()):
        by_pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if not succeeds([*by_pip, "--require-hashes", *files]):
            fail("The requirements could not be installed, see above.")
    STAMP.write_text(json.dumps({**have, **wanted}, indent=1))


def become(*arguments: str) -> None:
    """This process goes on as the Python of `.venv` with the arguments."""
    os.chdir(PROJECT)
    os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606


def run(arguments: list[str]) -> None:
    """The portal runs until it is stopped."""
    install(RUNTIME)
    become("-m", "skypemgr.stack", *arguments)


def test(arguments: list[str]) -> None:
    """The tests ran; those in a browser too where a Chromium can be had."""
    install(RUNTIME, DEVELOPMENT)
    answer = subprocess.run(
        [str(PYTHON), "-m", "tests.browser.chromium"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    options = ["-n", TEST_PROCESSES]
    if answer.returncode == 0:
        os.environ["CHROMIUM"] = answer.stdout.strip()
    elif os.environ.get("CI", "").lower() in ("1", "true"):
        fail("No Chromium was found for the browser tests, and CI is set.")
    else:
        print("No Chromium was found: the browser tests are left out.", flush=True)
        options += ["--ignore", "tests/browser"]
    become("-m", "pytest", *options, *arguments)


def check(arguments: list[str]) -> None:
    """Every check of the code ran."""
    install(RUNTIME, DEVELOPMENT)
    become("-m", "tests.checks", *arguments)


def bench(arguments: list[str]) -> None:
    """What was measured stands in benchmarks/RESULTS.md."""
    install(RUNTIME, DEVELOPMENT)
    become("-m", "benchmarks", *arguments)


def mutants(arguments: list[str]) -> None:
    """Every planted bug was caught by a test."""
    install(RUNTIME, DEVELOPMENT)
    become("-m", "tests.mutants", *arguments)


def stress(arguments: list[str]) -> None:
    """The portal was killed hard again and again, and its ledger verifies."""
    install(RUNTIME, DEVELOPMENT)
    become("-m", "tests.stress", *arguments)


def messages(arguments: list[str]) -> None:
    """The translations hold every text of the code and are compiled."""
    install(RUNTIME, DEVELOPMENT)
    become("-m", "tests.checks.translations", "--collect", *arguments)


def lock(arguments: list[str]) -> None:
    """The requirements are pinned anew, by hash, for every supported Python and system."""
    install(RUNTIME, DEVELOPMENT)
    uv = uv_command()
    if not uv:
        fail("uv could not be installed; it is what pins the requirements.")
    command = [*uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header"]
    command += ["--python-version", f"3.{OLDEST[1]}", "--no-emit-index-url"]
    command += ["--no-emit-find-links", *arguments]
    for name in (RUNTIME, DEVELOPMENT):
        source = name.replace(".txt", ".in")
        if not succeeds([*command, source, "--output-file", name], **pip_settings()):
            fail(f"{source} could not be pinned, see above.")


def manage(arguments: list[str]) -> None:
    """A command of the portal ran."""
    install(RUNTIME)
    become("manage.py", *arguments)


def shell(arguments: list[str]) -> None:
    """A Python with the portal's models."""
    manage(["shell", *arguments])


def prepare(arguments: list[str]) -> None:
    """`.venv` has everything."""
    install(RUNTIME, *([] if arguments == ["run"] else [DEVELOPMENT]))


COMMANDS = {
    "run": run,
    "test": test,
    "check": check,
    "bench": bench,
    "mutants": mutants,
    "stress": stress,
    "lock": lock,
    "messages": messages,
    "manage": manage,
    "shell": shell,
    "install": prepare,
}


def main() -> None:
    """Do what the first argument says."""
    use_supported_python()
    command = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if command is None:
        fail(USAGE)
    else:
        command(sys.argv[2:])


if __name__ == "__main__":
    main()
