"""A version per company that pages poll. Its one rule: it is a hint; losing it shows old figures
for a moment and never breaks a request.
"""

import logging

from django.core.cache import caches
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
SECONDS_KEPT = 30 * 24 * 3600


def _key(company_id: int) -> str:
    return f"live:{company_id}"


def bump(company_id: int) -> None:
    """After the commit, the company's version is another one."""
    transaction.on_commit(lambda: _increase(company_id), robust=True)


def _increase(company_id: int) -> None:
    cache = caches["default"]
    key = _key(company_id)
    try:
        try:
            cache.incr(key)
        except ValueError:
            cache.add(key, 1, SECONDS_KEPT)
    except (RedisError, OSError) as error:
        logger.warning("live version of company %s not bumped: %s", company_id, error)


def version(company_id: int) -> int | None:
    """The company's version, 0 before its first movement; None when Redis cannot be asked."""
    try:
        return int(caches["default"].get(_key(company_id), 0))
    except (RedisError, OSError) as error:
        logger.warning("live version of company %s unknown: %s", company_id, error)
        return None
