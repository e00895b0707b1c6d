"""Tokens for the API: issue, revoke, find.

Its one rule: the secret is answered once and never stored; everybody makes tokens for themselves,
only administrators one that may report calls.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.models import ApiToken, Member
from members.models.people import Role
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.periods import utc_now

PREFIX = "smt_"
MAX_USABLE_TOKENS = 50


class InvalidToken(ProductError):
    """What was asked for is not a token that can be made."""

    code = "invalid_token_request"


def hash_secret(secret: str) -> str:
    """The SHA-256 of the secret, in hexadecimal: all that is kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_token(secret: str) -> ApiToken | None:
    """The token with this secret, usable or not, with its company and member."""
    return (
        ApiToken.objects.select_related("company", "member__company", "member__user")
        .filter(token_hash=hash_secret(secret))
        .first()
    )


def issue_token(
    *,
    actor: Actor,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    for_company: bool = False,
    now: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token of the actor (or of the company) and its secret, which is shown only now.

    Raises NotAllowed for ``calls`` by others than administrators, InvalidToken for the rest.
    """
    now = now or utc_now()
    name = " ".join(name.split())
    ordered = [scope for scope in ApiToken.Scope.values if scope in scopes]
    _check_wish(name, scopes, ordered, expires_at, for_company=for_company, now=now)
    maker = _check_maker(actor, ordered, for_company=for_company)
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        _check_number(actor, maker, for_company=for_company)
        token = ApiToken.objects.create(
            company=actor.company,
            member=None if for_company else maker,
            name=name,
            token_hash=hash_secret(secret),
            scopes=ordered,
            made_by=maker,
            expires_at=expires_at,
        )
        record(
            actor,
            "issue_token",
            subject=f"token:{token.pk}",
            name=name,
            scopes=",".join(ordered),
            for_company=for_company,
        )
    return token, secret


def revoke_token(*, actor: Actor, token: ApiToken, now: datetime | None = None) -> None:
    """The token opens nothing any more; revoking it again changes nothing.

    Raises NotFound unless it is the actor's own or, for an administrator, the company's.
    """
    _require_member(actor)
    with transaction.atomic():
        found = ApiToken.objects.select_for_update(no_key=True).filter(pk=token.pk).first()
        if found is None or not _may_see(actor, found):
            raise NotFound(_("There is no such token."))
        if found.revoked_at is None:
            found.revoked_at = now or utc_now()
            found.save(update_fields=["revoked_at"])
            record(actor, "revoke_token", subject=f"token:{found.pk}", name=found.name)
    token.revoked_at = found.revoked_at


def stop_tokens(member_ids: Collection[int], *, now: datetime) -> int:
    """Inside the verb's transaction: the members' own tokens open nothing any more; how many."""
    tokens = ApiToken.objects.filter(member_id__in=member_ids, revoked_at=None)
    return tokens.update(revoked_at=now)


def own_tokens(actor: Actor) -> list[ApiToken]:
    """The actor's own tokens that are not revoked, newest first."""
    return list(
        ApiToken.objects.filter(
            company=actor.company, member=actor.member, revoked_at=None, member__isnull=False
        ).order_by("-id")
    )


def company_tokens(actor: Actor) -> list[ApiToken]:
    """The company's tokens that are not revoked, newest first; none but to administrators."""
    if actor.role != Role.ADMINISTRATOR:
        return []
    return list(
        ApiToken.objects.select_related("made_by")
        .filter(company=actor.company, member=None, revoked_at=None)
        .order_by("-id")
    )


def find_own_token(actor: Actor, pk: int) -> ApiToken:
    """A token that the actor may see and revoke; NotFound for any other."""
    token = ApiToken.objects.filter(company=actor.company, pk=pk).first()
    if token is None or not _may_see(actor, token):
        raise NotFound(_("There is no such token."))
    return token


def _may_see(actor: Actor, token: ApiToken) -> bool:
    if token.company_id != actor.company.pk:
        return False
    if token.member_id is None:
        return actor.role == Role.ADMINISTRATOR
    return actor.member is not None and token.member_id == actor.member.pk


def _require_member(actor: Actor) -> Member:
    if actor.member is None or actor.member.status != Member.Status.ACTIVE:
        raise NotAllowed(_("Only an active member of the company can do this."))
    return actor.member


def _check_maker(actor: Actor, scopes: list[str], *, for_company: bool) -> Member:
    maker = _require_member(actor)
    if (for_company or ApiToken.Scope.CALLS in scopes) and maker.role != Role.ADMINISTRATOR:
        raise NotAllowed(_("Only administrators can make a token that reports calls."))
    held = actor.token.scopes if actor.token else ApiToken.Scope.values
    if not set(scopes) <= set(held):
        raise NotAllowed(
            _("A token cannot make another one that may do more than itself."), code="scope_missing"
        )
    return maker


def _check_wish(
    name: str,
    wished: Collection[str],
    scopes: list[str],
    expires_at: datetime | None,
    *,
    for_company: bool,
    now: datetime,
) -> None:
    if not name or len(name) > 80 or not name.isprintable():
        raise InvalidToken(_("Give the token a name of at most 80 characters."), field="name")
    if not scopes or len(scopes) != len(set(wished)):
        raise InvalidToken(_("Choose what the token may do: read, write or calls."), field="scopes")
    if for_company and scopes != [ApiToken.Scope.CALLS]:
        raise InvalidToken(_("A token of the company can only report calls."), field="scopes")
    if expires_at is not None and expires_at <= now:
        raise InvalidToken(_("The expiry must lie in the future."), field="expires_at")


def _check_number(actor: Actor, maker: Member, *, for_company: bool) -> None:
    """Bounds how many there are, so that a stolen token cannot fill the table."""
    Member.objects.select_for_update(no_key=True).get(pk=maker.pk)
    count = ApiToken.objects.filter(
        company=actor.company, member=None if for_company else maker, revoked_at=None
    ).count()
    if count >= MAX_USABLE_TOKENS:
        raise InvalidToken(
            _("There are already %(count)s tokens. Revoke one first.")
            % {"count": MAX_USABLE_TOKENS},
            field="name",
        )
