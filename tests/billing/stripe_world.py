"""What the tests of the stripe gateway share: wishes to be paid, and the hosted page's payer."""

from decimal import Decimal
from typing import Any

from billing.gateways.base import ChargeRequest, ChargeResult, Way
from billing.gateways.stripe import StripeGateway
from tests.fakes.payment_client import PaymentServer

gateway = StripeGateway()
KEY = "purchase:7"
BACK = "http://localhost:8000/purchases/7/return/"
GOOD = "4242424242424242"
POOR = "4000000000009995"
ASKING = "4000002760003184"
ASKING_ONCE = "4000002500003155"
ASKING_THEN_POOR = "4000008260003178"


def wish(key: str = KEY, **fields: Any) -> ChargeRequest:
    """A first payment of 60 € by card, unless told otherwise."""
    amount = Decimal(fields.pop("amount", "60.00"))
    return ChargeRequest(
        **{
            "idempotency_key": key,
            "amount": amount,
            "currency": "EUR",
            "return_url": BACK,
            "description": "Skype Manager",
            "email": "alice@example.com",
            **fields,
        }
    )


def saved(server: PaymentServer, number: str = GOOD, way: Way = Way.CARD) -> dict[str, Any]:
    """The fields of a wish to charge a method that was saved before."""
    made = server.order("method", way=way.value, number=number)
    return {
        "way": way,
        "method_reference": made["payment_method"],
        "customer_reference": made["customer"],
    }


def ask_again(key: str = KEY, reference: str = "") -> ChargeResult:
    """What the gateway says now; the charge must be known."""
    result = gateway.fetch(key, reference=reference)
    assert result is not None
    return result


def paid(server: PaymentServer) -> list[int]:
    """The amounts of all charges that succeeded."""
    return [one["amount"] for one in server.objects("charge") if one["status"] == "succeeded"]
