"""Whatever is sent, no door breaks, and what is refused moves no credit."""

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credit.models import Transfer
from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Answer, Api
from tests.billing.features.phone_kit import equip
from tests.conftest import credit_company

RULE = {"amount": "1", "threshold": "1", "monthly_limit": "1"}
CALL = {
    "source": "pbx",
    "id": "1",
    "member": "bob",
    "destination": "+33142278900",
    "started_at": "2026-01-01T00:00:00Z",
    "duration_seconds": 60,
}
VALID: dict[str, dict[str, Any]] = {
    "members": {"email": "zoe@example.com", "name": "Zoé"},
    "members/{bob}": {"name": "Robert"},
    "members/{bob}/auto-recharge": RULE,
    "allocations": {"all": True, "amount": "0.01"},
    "calls": {"calls": [CALL]},
    "lists": {"name": "Sales"},
    "invitations": {"addresses": ["new@example.com"]},
    "purchases": {"amount": "10", "payment_method": "sandbox"},
    "auto-purchase": {
        "level": "1",
        "amount": "10",
        "monthly_limit": "20",
        "payment_method": "sandbox",
    },
    "numbers/reserve": {"area": 1, "count": 1},
    "me/tokens": {"name": "x", "scopes": ["read"]},
    "company/tokens": {"name": "x", "scopes": ["calls"]},
    "me/voicemail": {"is_on": True, "greeting_language": "fr"},
    "me/call-forwarding": {"targets": [{"number": "+33142278900", "delay_seconds": 5}]},
    "me/caller-id": {"number": None},
}
POSTS = {
    "members": ("email", "name", "username", "phone", "list", "role"),
    "members/{bob}": ("name", "role", "list", "job_title", "work_email", "work_phone"),
    "members/{bob}/auto-recharge": ("amount", "threshold", "monthly_limit"),
    "allocations": ("member", "members", "list", "all", "amount"),
    "calls": ("calls",),
    "lists": ("name",),
    "invitations": ("way", "addresses", "list", "role", "language"),
    "purchases": ("amount", "payment_method"),
    "auto-purchase": ("level", "amount", "monthly_limit", "payment_method", "consent_version"),
    "numbers/reserve": ("area", "count"),
    "me/tokens": ("name", "scopes", "expires_at"),
    "company/tokens": ("name", "scopes", "expires_at"),
    "me/voicemail": ("is_on", "answer_after_seconds", "greeting", "greeting_text", "email"),
    "me/call-forwarding": ("targets",),
    "me/caller-id": ("number",),
}
GETS = {
    "members": ("q", "list", "role", "status", "cursor", "limit"),
    "lists": ("cursor", "limit"),
    "invitations": ("cursor", "limit"),
    "purchases": ("cursor", "limit"),
    "phone/settings": ("updated_since", "cursor", "limit"),
    "plans": ("kind",),
    "numbers": ("member", "cursor", "limit"),
    "numbers/areas": ("country", "cursor", "limit"),
    "reports/summary": ("month", "format"),
    "reports/usage": ("month", "format"),
}
METHODS = {
    "members/{bob}": "PATCH",
    "members/{bob}/auto-recharge": "PUT",
    "auto-purchase": "PUT",
    "me/voicemail": "PUT",
    "me/call-forwarding": "PUT",
    "me/caller-id": "PUT",
}
ODD_TEXTS = (
    "\x00",
    "\ud800",
    "10",
    "1.5",
    "1e9",
    "NaN",
    "-1",
    "zoe@example.com",
    "+33142278900",
    "sandbox",
    "read",
    "2026-11-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "'; --",
    "ﷺ" * 90,
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(ODD_TEXTS),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 2**31, 2**63 - 1, 2**63, 10**40]),
    st.floats(),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
CALL_FIELDS = ("source", "id", "member", "destination", "started_at", "duration_seconds")


def bodies(path: str) -> st.SearchStrategy[Any]:
    """Bodies with the door's own fields, sometimes others, sometimes none."""
    fields: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(POSTS[path], VALUES)
    if path == "calls":
        odd = st.tuples(st.sampled_from(CALL_FIELDS), VALUES).map(
            lambda one: {**CALL, one[0]: one[1]}
        )
        fields["calls"] = st.one_of(VALUES, st.lists(odd, max_size=3))
    # Mostly one wrong field in a right body: what is wrong everywhere stops at the first check.
    almost = st.sampled_from(POSTS[path]).flatmap(
        lambda name: fields[name].map(lambda value: {**VALID[path], name: value})
    )
    return st.one_of(almost, almost, st.fixed_dictionaries({}, optional=fields), VALUES)


def is_handled(response: Answer) -> bool:
    return int(response.status_code) < 500


WISHES = st.sampled_from(sorted(POSTS)).flatmap(lambda path: st.tuples(st.just(path), bodies(path)))
QUERIES = st.sampled_from(sorted(GETS)).flatmap(
    lambda path: st.tuples(
        st.just(path), st.fixed_dictionaries({}, optional=dict.fromkeys(GETS[path], TEXTS))
    )
)
RELAXED = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_no_body_breaks_a_door(api: Api, alice: Member, bob: Member) -> None:
    credit_company(alice.company, "1000")
    equip(alice, alice, now=utc_now())
    client = api(alice)
    numbers = iter(range(10**6))

    @RELAXED
    @given(wish=WISHES)
    @example(wish=("calls", {"calls": [{"id": {"a": "\x00"}, "source": [[]], "member": {}}]}))
    @example(wish=("members", {"email": "a" * 300 + "@example.com", "name": "x"}))
    def send(wish: tuple[str, Any]) -> None:
        path, body = wish
        before = Transfer.objects.count()
        response = client.send(
            METHODS.get(path, "POST"),
            path.format(bob=bob.pk),
            json.dumps(body).encode(),
            key=f"k{next(numbers)}",
        )
        assert is_handled(response), (wish, response.content)
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"
            assert response.json()["code"]
            assert Transfer.objects.count() == before

    send()


def test_no_query_breaks_a_door(api: Api, alice: Member) -> None:
    client = api(alice)

    @RELAXED
    @given(query=QUERIES)
    @example(query=("reports/summary", {"month": "0000-00"}))
    @example(query=("reports/summary", {"month": "9999-12"}))
    def send(query: tuple[str, dict[str, str]]) -> None:
        path, values = query
        clean = {name: text.encode("utf-8", "replace").decode() for name, text in values.items()}
        assert is_handled(client.get(path, **clean)), query

    send()


def test_no_bytes_break_a_door(api: Api, alice: Member) -> None:
    client = api(alice)

    @RELAXED
    @given(
        raw=st.binary(max_size=60),
        kind=st.sampled_from(["application/json", "text/plain", "application/json; charset=x"]),
        key=st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=120),
    )
    def send(raw: bytes, kind: str, key: str) -> None:
        for path in ("lists", "allocations"):
            response = client.client.generic(
                "POST",
                f"/api/v1/{path}",
                raw,
                content_type=kind,
                HTTP_IDEMPOTENCY_KEY=key,
            )
            assert is_handled(response)

    send()
