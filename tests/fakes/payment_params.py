"""The parameters that the payment server takes, checked as strictly as by the real one.

Its one rule: what is not listed here is refused. The version of the API is the one that the names
were checked against; another version is refused as well, so that an upgrade makes somebody look.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.payment_errors import ApiError, Json

VERSION = "2026-10-28.endive"
TYPES = ("card", "paypal", "sepa_debit")
LOCALES = ("auto", "en", "en-GB", "fr", "fr-CA", "de", "es", "it", "nl")
NO_DECIMALS = frozenset(
    {
        *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv"),
        *("xaf", "xof", "xpf"),
    }
)
# Whole units only, yet written in hundredths.
WHOLE_HUNDREDTHS = frozenset({"isk", "ugx"})
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
TWO_DECIMALS = frozenset(
    {
        *("eur", "usd", "gbp", "chf", "sek", "nok", "dkk", "pln", "czk", "huf", "ron", "bgn"),
        *("cad", "aud", "nzd", "hkd", "sgd", "inr", "mxn", "zar", "brl", "ils", "mad"),
    }
)
CURRENCIES = NO_DECIMALS | WHOLE_HUNDREDTHS | THREE_DECIMALS | TWO_DECIMALS
_LEAST = (
    (50, "eur usd chf cad aud nzd sgd inr brl jpy"),
    (30, "gbp"),
    (100, "ron bgn"),
    (200, "pln"),
    (250, "dkk"),
    (300, "sek nok"),
    (400, "hkd"),
    (1000, "mxn"),
    (1500, "czk"),
    (17500, "huf"),
)
LEAST = {code: amount for amount, codes in _LEAST for code in codes.split()}
MOST = 99_999_999
_PART = re.compile(r"\[([^\]]*)\]")

Kind = Callable[[Any, str], Any]


def parse_form(text: str) -> Json:
    """``a[b][0]=c`` as nested dictionaries; lists are dictionaries of their positions."""
    found: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, _, rest = name.partition("[")
        keys = [head, *_PART.findall(f"[{rest}" if rest else "")]
        here = found
        for key in keys[:-1]:
            here = here.setdefault(key or str(len(here)), {})
            if not isinstance(here, dict):
                raise ApiError(f"Invalid parameter: {name}", param=name)
        here[keys[-1] or str(len(here))] = value
    return found


def check(spec: Json, given: Json, path: str = "") -> Json:
    """The parameters in their types; ApiError for one that is unknown or of another shape."""
    parsed: Json = {}
    for name, value in given.items():
        place = f"{path}[{name}]" if path else name
        if name == "payment_method_types" and "allowed_payment_method_types" in spec:
            raise ApiError(
                "The `payment_method_types` parameter is no longer supported on this API version.",
                code="payment_method_types_no_longer_supported",
                param=name,
            )
        if name not in spec:
            raise ApiError(
                f"Received unknown parameter: {place}", code="parameter_unknown", param=place
            )
        parsed[name] = _check_one(spec[name], value, place)
    return parsed


def _check_one(kind: Any, value: Any, place: str) -> Any:
    if isinstance(kind, dict):
        return check(kind, _mapping(value, place), place)
    if isinstance(kind, list):
        rows = _mapping(value, place)
        return [_check_one(kind[0], rows[key], f"{place}[{key}]") for key in sorted(rows, key=int)]
    return kind(value, place)


def _mapping(value: Any, place: str) -> Json:
    if not isinstance(value, dict):
        raise ApiError(f"Invalid object: {value!r}", param=place)
    return value


def text(value: Any, place: str) -> str:
    """A text of 1 to 5,000 characters."""
    if not isinstance(value, str):
        raise ApiError("Invalid string", param=place)
    if not value:
        raise ApiError(
            f"You passed an empty string for '{place}'.",
            code="parameter_invalid_empty",
            param=place,
        )
    if len(value) > 5000:
        raise ApiError(f"Invalid string: {value[:20]}...; must be at most 5000 characters")
    return value


def integer(value: Any, place: str) -> int:
    """A whole number."""
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]+", value):
        raise ApiError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=place)
    return int(value)


def boolean(value: Any, place: str) -> bool:
    """``true`` or ``false``."""
    if value not in ("true", "false"):
        raise ApiError(f"Invalid boolean: {value}", param=place)
    return bool(value == "true")


def choice(*allowed: str) -> Kind:
    """One of these words."""

    def read(value: Any, place: str) -> str:
        if value not in allowed:
            raise ApiError(f"Invalid {place}: must be one of {', '.join(allowed)}", param=place)
        return str(value)

    return read


def address(value: Any, place: str) -> str:
    """An absolute address of the web."""
    parts = urlsplit(text(value, place))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ApiError("Not a valid URL", code="url_invalid", param=place)
    return str(value)


def currency(value: Any, place: str) -> str:
    """A currency in small letters."""
    if value not in CURRENCIES:
        raise ApiError(f"Invalid currency: {value}.", param=place)
    return str(value)


def email(value: Any, place: str) -> str:
    """Something like an address."""
    if "@" not in text(value, place):
        raise ApiError(f"Invalid email address: {value}", code="email_invalid", param=place)
    return str(value)


def metadata(value: Any, place: str) -> dict[str, str]:
    """At most 50 pairs, names up to 40 and values up to 500 characters."""
    pairs = _mapping(value, place)
    if len(pairs) > 50 or any(
        len(name) > 40 or not isinstance(word, str) or len(word) > 500
        for name, word in pairs.items()
    ):
        raise ApiError("Metadata is too large", param=place)
    return pairs


PERIOD = dict.fromkeys(("gt", "gte", "lt", "lte"), integer)
PAGE: Json = {"limit": integer, "starting_after": text, "ending_before": text, "expand": [text]}
SESSION: Json = {
    "mode": choice("payment", "setup", "subscription"),
    "allowed_payment_method_types": [choice(*TYPES)],
    "excluded_payment_method_types": [choice(*TYPES)],
    "billing_address_collection": choice("auto", "required"),
    "cancel_url": address,
    "client_reference_id": text,
    "customer": text,
    "customer_creation": choice("always", "if_required"),
    "customer_email": email,
    "expand": [text],
    "expires_at": integer,
    "line_items": [
        {
            "quantity": integer,
            "price": text,
            "price_data": {
                "currency": currency,
                "product": text,
                "product_data": {"name": text, "description": text, "metadata": metadata},
                "unit_amount": integer,
            },
        }
    ],
    "locale": choice(*LOCALES),
    "metadata": metadata,
    "payment_intent_data": {
        "description": text,
        "metadata": metadata,
        "receipt_email": email,
        "setup_future_usage": choice("off_session", "on_session"),
        "statement_descriptor_suffix": text,
    },
    "submit_type": choice("auto", "book", "donate", "pay", "subscribe"),
    "success_url": address,
}
INTENT: Json = {
    "amount": integer,
    "currency": currency,
    "allowed_payment_method_types": [choice(*TYPES)],
    "confirm": boolean,
    "customer": text,
    "description": text,
    "error_on_requires_action": boolean,
    "expand": [text],
    "metadata": metadata,
    "off_session": boolean,
    "payment_method": text,
    "receipt_email": email,
    "return_url": address,
    "setup_future_usage": choice("off_session", "on_session"),
}
CONFIRM: Json = {
    "allowed_payment_method_types": [choice(*TYPES)],
    "expand": [text],
    "off_session": boolean,
    "payment_method": text,
    "return_url": address,
}
CANCEL: Json = {
    "cancellation_reason": choice("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
    "expand": [text],
}
CUSTOMER: Json = {
    "description": text,
    "email": email,
    "expand": [text],
    "metadata": metadata,
    "name": text,
    "preferred_locales": [text],
}
REFUND: Json = {
    "amount": integer,
    "charge": text,
    "expand": [text],
    "metadata": metadata,
    "payment_intent": text,
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
}
EXPAND: Json = {"expand": [text]}
ATTACH: Json = {"customer": text, "expand": [text]}
SEARCH: Json = {"query": text, "limit": integer, "page": text, "expand": [text]}
INTENTS: Json = {**PAGE, "customer": text}
SESSIONS: Json = {
    **PAGE,
    "customer": text,
    "payment_intent": text,
    "status": choice("open", "complete", "expired"),
}
CHARGES: Json = {**PAGE, "customer": text, "payment_intent": text}
BALANCE: Json = {**PAGE, "currency": currency, "source": text, "type": text}
EVENTS: Json = {**PAGE, "type": text, "types": [text]}


def created(value: Any, place: str) -> Json:
    """An instant or a span of time."""
    if isinstance(value, dict):
        return check(PERIOD, value, place)
    at = integer(value, place)
    return {"gte": at, "lte": at}


for _list in (INTENTS, SESSIONS, CHARGES, BALANCE, EVENTS):
    _list["created"] = created


def check_money(amount: int, code: str, param: str) -> None:
    """Returns only for an amount that can be charged in the currency."""
    if amount < LEAST.get(code, 1):
        raise ApiError(
            f"Amount must be at least the minimum charge amount for {code}.",
            code="amount_too_small",
            param=param,
        )
    if amount > MOST:
        raise ApiError("Amount must be no more than 99999999", code="amount_too_large", param=param)
    if code in THREE_DECIMALS and amount % 10:
        raise ApiError(
            "Invalid amount: amounts in three-decimal currencies must be rounded to the nearest "
            "ten.",
            code="parameter_invalid_integer",
            param=param,
        )
    if code in WHOLE_HUNDREDTHS and amount % 100:
        raise ApiError(
            f"Invalid amount: {code} does not support decimal amounts.",
            code="parameter_invalid_integer",
            param=param,
        )
