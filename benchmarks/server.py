"""A throw-away PostgreSQL and Valkey with fsync on, as in production. Its one rule: started before
Django reads its settings.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skypemgr.stack.postgres import Postgres
from skypemgr.stack.valkey import Valkey


@contextmanager
def servers() -> Iterator[None]:
    """DATABASE_URL and REDIS_URL name servers that are gone afterwards; those given are used."""
    with tempfile.TemporaryDirectory(prefix="skypemgr-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        started: list[Postgres | Valkey] = []
        try:
            if not os.environ.get("DATABASE_URL"):
                postgres = Postgres(home / "postgres", password=secrets.token_hex(16))
                started.append(postgres)
                postgres.start()
                os.environ["DATABASE_URL"] = postgres.url
            if not os.environ.get("REDIS_URL"):
                valkey = Valkey(home / "valkey", password=secrets.token_hex(16))
                started.append(valkey)
                valkey.start()
                os.environ["REDIS_URL"] = valkey.url
            os.environ["VAR_DIR"] = str(home / "var")
            yield
        finally:
            for server in reversed(started):
                server.stop()
