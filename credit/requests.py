"""Requests from outside, done once. Its one rule: the row comes first in the transaction, so a
repetition finds the first answer, or waits for it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from credit.errors import IdempotencyConflict
from credit.models import OutsideRequest
from skypemgr.lib.prepared import Call, Prepared, fetch_all

STORE_ANSWER = Prepared(
    "UPDATE credit_outsiderequest SET answer = %(answer_text)s::jsonb WHERE id = %(answer_request)s"
)
BEGIN_REQUEST = Prepared(
    "INSERT INTO credit_outsiderequest (company_id, key, content_hash, created_at)"
    " VALUES (%(company)s, %(key)s, %(content)s, now())"
    " ON CONFLICT (company_id, key) DO NOTHING RETURNING id"
)
# The id that this session's last insert was given is in the table only if nobody was there before.
BEGUN = (
    "SELECT id FROM credit_outsiderequest"
    " WHERE id = (SELECT currval('credit_outsiderequest_id_seq'))"
)


@dataclass(frozen=True, slots=True)
class OutsideKey:
    """The name under which a wish came, and the hash of what was wished."""

    key: str
    content_hash: str

    @classmethod
    def of_form(cls, form_key: str, content: object) -> "OutsideKey":
        """The key hidden in a page's form."""
        return cls(f"form:{form_key}", _hash(content))

    @classmethod
    def of_api(cls, key: str, method: str, path: str, body: object) -> "OutsideKey":
        """The ``Idempotency-Key`` of an API request."""
        return cls(f"api:{key}", _hash([method.upper(), path, body]))


def _hash(content: object) -> str:
    text = json.dumps(content, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def answer_statement(request_id: int, answer: dict[str, Any]) -> Call:
    """What stores the answer, as a statement to be sent along with another."""
    return STORE_ANSWER, {"answer_request": request_id, "answer_text": json.dumps(answer)}


def begin_statement(company_id: int, request: OutsideKey) -> Call:
    """What inserts the request's row unless it is there, to be sent along with a statement that
    reads ``BEGUN``: its id if it was not there."""
    return BEGIN_REQUEST, {
        "company": company_id,
        "key": request.key,
        "content": request.content_hash,
    }


def first_answer(company_id: int, request: OutsideKey) -> dict[str, Any]:
    """What was answered when the key first came; IdempotencyConflict if other content came."""
    first = OutsideRequest.objects.get(company_id=company_id, key=request.key)
    if first.content_hash != request.content_hash:
        raise IdempotencyConflict(
            _("This key was already used for another request. Use a new one.")
        )
    return dict(first.answer or {})


def answer_once(
    company_id: int,
    request: OutsideKey,
    work: Callable[[int], dict[str, Any]],
    *,
    work_stores: bool = False,
) -> dict[str, Any]:
    """The work has been done once for this key, and its answer (JSON) is returned each time.

    Call it inside a transaction; ``work`` gets the row's id, from which its transfers' keys are
    derived. The same key with another content is an IdempotencyConflict. A refusal leaves no row.
    ``work_stores``: the work has sent ``answer_statement`` along with a statement of its own.
    """
    inserted = fetch_all(begin_statement(company_id, request))
    if not inserted:
        return first_answer(company_id, request)
    answer = work(inserted[0][0])
    if not work_stores:
        OutsideRequest.objects.filter(pk=inserted[0][0]).update(answer=answer)
    return answer
