"""Memory for queries over very many rows. Its one rule: only for the queries inside, so that what
one page needs is not given to every connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# A hundred thousand members and their purses meet in memory, and faster alone than in parts; what
# is read is in memory already, where a few rows are found one by one sooner than by reading all.
_WIDE = (
    "SELECT set_config('work_mem', '32MB', true),"
    " set_config('max_parallel_workers_per_gather', '0', true),"
    " set_config('random_page_cost', '1.1', true)"
)


@contextmanager
def wide_memory() -> Iterator[None]:
    """Queries inside see one state of things, and may join large tables in memory."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_WIDE)
        yield
