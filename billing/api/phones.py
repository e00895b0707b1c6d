"""``phone/settings`` and ``phone/numbers``: what phone systems read. Their one rule: who has read
up to an ``updated_at`` has missed nothing before it, whatever was being written meanwhile.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from billing.api.feature_settings import (
    CallerIdAnswer,
    ForwardingAnswer,
    VoicemailAnswer,
    answer_caller_id,
    answer_forwarding,
    answer_voicemail,
)
from billing.features.numbers import whose_number
from billing.features.phones import Phone, phones_of, read_phone, read_phones
from billing.models import PhoneSettings
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import PHONE_SYSTEMS
from members.api.schema import page_of, refusal
from members.models import ApiToken
from skypemgr.lib.errors import NotFound
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import MAX_ID, BadRequest, require_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Within what the database can hold.
LAST = int((datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) / MICROSECOND)


class PhoneAnswer(serializers.Serializer[Any]):
    """A member's phone: replace what is known of the member by it."""

    member = serializers.IntegerField(help_text="The member's id.")
    numbers = serializers.ListField(
        child=serializers.CharField(), help_text="The member's own numbers, E.164."
    )
    voicemail = VoicemailAnswer()
    call_forwarding = ForwardingAnswer()
    caller_id = CallerIdAnswer()
    updated_at = serializers.DateTimeField()


class NumberAnswer(serializers.Serializer[Any]):
    """Whose number it is, and what to do when that member does not answer."""

    number = serializers.CharField(help_text="E.164.")
    member = serializers.IntegerField(help_text="The member's id.")
    name = serializers.CharField()
    username = serializers.CharField(allow_null=True)
    voicemail = VoicemailAnswer()
    call_forwarding = ForwardingAnswer()


class ChangesPagination:
    """Pages by (updated_at, member). What changes while somebody turns pages moves to the end,
    where it is read anew; nothing else moves.
    """

    limits = CursorPagination()

    def page(
        self, found: QuerySet[PhoneSettings], request: Request
    ) -> tuple[list[PhoneSettings], str | None, str | None]:
        """The page that ``cursor`` and ``limit`` name; the addresses of the next and previous."""
        limit = self.limits.read_limit(request)
        is_back, place = _read_cursor(request)
        if place is not None:
            stamp, pk = place
            later = Q(updated_at__gt=stamp) | Q(updated_at=stamp, pk__gt=pk)
            earlier = Q(updated_at__lt=stamp) | Q(updated_at=stamp, pk__lt=pk)
            # Said twice, so that the index is entered there and not at the beginning.
            bound = {"updated_at__lte" if is_back else "updated_at__gte": stamp}
            found = found.filter(earlier if is_back else later, **bound)
        order = ("-updated_at", "-pk") if is_back else ("updated_at", "pk")
        rows = list(found.order_by(*order)[: limit + 1])
        has_more = len(rows) > limit
        rows = rows[:limit]
        if is_back:
            rows.reverse()
        has_next = has_more or is_back
        has_previous = has_more if is_back else place is not None
        return (
            rows,
            _link(request, "n", rows[-1]) if rows and has_next else None,
            _link(request, "p", rows[0]) if rows and has_previous else None,
        )


class PhoneSettingsDoor(Door):
    """How the company's members want to be reached."""

    scopes: ClassVar[dict[str, str]] = {"GET": ApiToken.Scope.CALLS}
    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": PHONE_SYSTEMS}

    @extend_schema(
        operation_id="phone_settings_list",
        responses={200: page_of(PhoneAnswer), 400: refusal(400, "invalid", "invalid_cursor")},
        parameters=[
            OpenApiParameter(
                "updated_since",
                datetime,
                description="Only what changed after this `updated_at` of an earlier answer.",
            ),
            *CursorPagination.parameters,
        ],
    )
    def get(self, request: ApiRequest) -> Response:
        """Everybody whose phone changed, the earliest change first.

        Follow `next` to its end, then keep the last `updated_at` for the next look. Somebody who
        lost a feature or number is there too, with `is_active` false or fewer `numbers`.
        """
        company = request.actor.company
        found = phones_of(company)
        since = _read_since(request)
        if since is not None:
            found = found.filter(updated_at__gt=since)
        rows, following, previous = ChangesPagination().page(found, request)
        results = [_answer(phone) for phone in read_phones(company, rows)]
        return Response({"results": results, "next": following, "previous": previous})


class PhoneNumberDoor(Door):
    """Whose number is called."""

    scopes: ClassVar[dict[str, str]] = {"GET": ApiToken.Scope.CALLS}
    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": PHONE_SYSTEMS}

    @extend_schema(operation_id="phone_number_get", responses=NumberAnswer)
    def get(self, request: ApiRequest, number: str) -> Response:
        """The member who has the number now; 404 when nobody of the company has it."""
        e164 = f"+{number.removeprefix('+')}"
        found = whose_number(e164, company=request.actor.company)
        if found is None:
            raise NotFound(_("Nobody in your company has this number."), code="unknown_number")
        phone = read_phone(found.member)
        values = {
            "number": e164,
            "member": found.member_id,
            "name": found.member.name,
            "username": found.member.user.username,
            "voicemail": answer_voicemail(phone),
            "call_forwarding": answer_forwarding(phone),
        }
        return Response(NumberAnswer(values).data)


def _answer(phone: Phone) -> dict[str, Any]:
    values = {
        "member": phone.member_id,
        "numbers": phone.numbers,
        "voicemail": answer_voicemail(phone),
        "call_forwarding": answer_forwarding(phone),
        "caller_id": answer_caller_id(phone),
        "updated_at": phone.updated_at,
    }
    return dict(PhoneAnswer(values).data)


def _read_since(request: Request) -> datetime | None:
    text = require_text(request, "updated_since", max_length=60)
    if not text:
        return None
    try:
        # A plus sign that was not escaped arrives as a blank.
        parsed = parse_datetime(text.replace(" ", "+") if "T" in text else text)
        if parsed is None:
            raise ValueError(text)
        since = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            _("Write a time such as 2026-11-03T09:15:00Z."), code="invalid", field="updated_since"
        ) from error
    return since


def _read_cursor(request: Request) -> tuple[bool, tuple[datetime, int] | None]:
    text = require_text(request, "cursor", max_length=100)
    if not text:
        return False, None
    try:
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        micros, point, pk = plain[1:].partition(".")
        is_known = plain[:1] in ("n", "p") and point and micros.isdigit() and pk.isdigit()
        numbers = (int(micros), int(pk)) if is_known and len(plain) < 50 else (-1, -1)
    except ValueError:
        plain, numbers = "", (-1, -1)
    if not (0 <= numbers[0] <= LAST and 0 <= numbers[1] <= MAX_ID):
        raise BadRequest(
            _("This cursor is not one that we gave."), code="invalid_cursor", field="cursor"
        )
    return plain[0] == "p", (EPOCH + numbers[0] * MICROSECOND, numbers[1])


def _link(request: Request, direction: str, row: PhoneSettings) -> str:
    place = f"{direction}{(row.updated_at - EPOCH) // MICROSECOND}.{row.pk}"
    cursor = urlsafe_b64encode(place.encode()).decode().rstrip("=")
    address = remove_query_param(request.build_absolute_uri(), "cursor")
    return str(replace_query_param(address, "cursor", cursor))
