"""Tells waiting work that a fact was committed. Its one rule: a lost message loses nothing.

Facts: ``purse.due`` (account id), ``company.credited`` and ``company.debited`` (company id),
``notice.created`` (notice id), ``invitation.created`` (invitation id), ``import.wanted`` (import
job id), ``export.wanted`` (export id), ``purchase.open`` (purchase id), ``incident.created``
(incident id), ``gateway.event`` (event id), ``method.removed`` (forget wish id).
``skypemgr/celery.py`` says who answers; a sweep finds whatever was never told.
"""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def wake(fact: str, subject_id: int) -> None:
    """After the commit, whoever answers to the fact is told; a dead broker only delays it."""
    transaction.on_commit(lambda: _send(fact, subject_id), robust=True)


def _send(fact: str, subject_id: int) -> None:
    try:
        current_app.send_task("skypemgr.wake", args=[fact, subject_id], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("broker unreachable, %s %s left to the sweep: %s", fact, subject_id, error)
