"""A version per company that pages poll. Its one rule: it is a hint; losing it shows old figures
for a moment and never breaks a request.
"""

import logging
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 2


@lru_cache(maxsize=4)
def _redis(address: str) -> Redis:
    # Not through Django's cache: it asks whether a key exists before it counts it up.
    return Redis.from_url(
        address, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )


def _key(company_id: int) -> str:
    return f"live:{company_id}"


def bump(company_id: int) -> None:
    """After the commit, the company's version is another one."""
    transaction.on_commit(lambda: _increase(company_id), robust=True)


def _increase(company_id: int) -> None:
    key = _key(company_id)
    try:
        _redis(settings.REDIS_URL).incr(key)
    except RedisError as error:
        logger.warning("live version of company %s not bumped: %s", company_id, error)


def version(company_id: int) -> int | None:
    """The company's version, 0 before its first movement; None when Redis cannot be asked."""
    try:
        found = _redis(settings.REDIS_URL).get(_key(company_id))
    except RedisError as error:
        logger.warning("live version of company %s unknown: %s", company_id, error)
        return None
    return int(found) if found else 0
