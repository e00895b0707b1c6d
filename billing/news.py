"""What an event says, kept as JSON. Its one rule: what is read back equals what was put in."""

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from billing.gateways.base import ChargeResult, ChargeStatus, News, NewsKind, SavedMethod


def pack_news(news: News) -> dict[str, Any]:
    """The news as plain words; amounts and times as text."""
    packed: dict[str, Any] = _plain(asdict(news))
    return packed


def unpack_news(packed: dict[str, Any]) -> News:
    """The news that was packed."""
    result = packed.get("result")
    return News(
        **{
            **packed,
            "kind": NewsKind(packed["kind"]),
            "result": _unpack_result(result) if result else None,
            "amount": _amount(packed.get("amount")),
            "occurred_at": _time(packed.get("occurred_at")),
        }
    )


def _unpack_result(packed: dict[str, Any]) -> ChargeResult:
    saved = packed.get("saved")
    return ChargeResult(
        **{
            **packed,
            "status": ChargeStatus(packed["status"]),
            "amount": _amount(packed.get("amount")),
            "expires_at": _time(packed.get("expires_at")),
            "saved": _unpack_method(saved) if saved else None,
        }
    )


def _unpack_method(packed: dict[str, Any]) -> SavedMethod:
    last_day = packed.get("expires_on")
    return SavedMethod(
        **{**packed, "expires_on": date.fromisoformat(last_day) if last_day else None}
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
