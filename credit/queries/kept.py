"""Figures over very many rows, kept for a moment. Its one rule: only while nothing moved or was
decided in the company; without the cache they are read anew.
"""

import logging
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db.models import Max
from redis.exceptions import RedisError

from members.models import AuditEntry, Company
from skypemgr.lib import live

logger = logging.getLogger(__name__)
# Of fewer rows figures are read anew each time.
KEPT_FROM = 500
SECONDS_KEPT = 30


def key_of(company: Company, subject: str, content: Mapping[str, str], today: date) -> str:
    """Another one after every movement and every decision; empty: do not keep. One query."""
    version = live.version(company.pk)
    if version is None:
        return ""
    decided = AuditEntry.objects.filter(company=company).aggregate(last=Max("pk"))["last"]
    wish = sha256(repr(sorted(content.items())).encode()).hexdigest()
    return f"{subject}:{company.pk}:{version}:{decided}:{today}:{wish}"


def recall(key: str) -> Any:
    """What was kept under the key; None when nothing was."""
    if not key:
        return None
    try:
        return cache.get(key)
    except RedisError as error:
        logger.warning("figures not recalled: %s", error)
        return None


def keep(key: str, figures: object) -> None:
    """The figures are recalled for half a minute; they are plain values."""
    if not key:
        return
    try:
        cache.set(key, figures, SECONDS_KEPT)
    except RedisError as error:
        logger.warning("figures not kept: %s", error)
