"""Stripe: card, PayPal and SEPA direct debit.

Its one rule: one purchase is one charge, whatever is repeated or lost on the way.

- A first payment is made on Stripe's own page, so that card data never touches us; a saved method
  is charged directly, and when its bank asks, the payer is led to a page of Stripe's or the bank's.
- What creates a charge is sent under the purchase's key as Stripe's idempotency key: sent again it
  gives the first answer, also an answer of 500. Stripe forgets keys after 24 hours; the portal
  sends nothing again later than an hour after the first time.
- Every object carries the key in its metadata. After a lost answer it is looked for there: by
  search, which may lag a minute behind, and in the lists of the last day, which do not. "None"
  means that the same key may be sent again: safe even if the first request arrives after all.
- Calling off what was never found first uses up the key with something that cannot be paid: a
  request still on its way can then make nothing. Only then it is looked for once more. If the key
  had been used, and yet nothing is found, five minutes must pass before that is believed.
- A declined card is a decline; no answer, an error of theirs, a refused key of ours or too many
  requests is an outage, and an outage is never a decline.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import stripe
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.errors import CardNotAccepted
from billing.gateways import stripe_lookup as lookup
from billing.gateways import stripe_words as words
from billing.gateways.base import (
    BadSignature,
    ChargeRequest,
    ChargeResult,
    ChargeStatus,
    GatewayUnavailable,
    News,
    SavedMethod,
    SettledCharge,
    Way,
)
from billing.gateways.stripe_client import asking, connect, failed_intent, is_replay, replayed
from billing.gateways.stripe_money import NotChargeable, to_major, to_minor

logger = logging.getLogger(__name__)

Json = dict[str, Any]
SIGNED_WITHIN_SECONDS = 300
LONGEST_METADATA = 500
CHARGE = "charge"


class StripeGateway:
    """The gateway; ``docs/payments.md`` says how it is set up."""

    name = "stripe"
    label: str | Promise = "Stripe"
    ways = (Way.CARD, Way.PAYPAL, Way.SEPA_DEBIT)
    is_sandbox = False
    asks_number = False
    needs_billing_details = True
    default_card = ""

    def save_method(self, number: str) -> SavedMethod:
        """Never: numbers are typed on Stripe's page only."""
        raise CardNotAccepted(
            _("Cards are entered on the payment provider's page only. Never type one here."),
            field="number",
        )

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """A page on which to pay is open, or the saved method was charged; once for the key."""
        try:
            amount = to_minor(request.amount, request.currency)
        except NotChargeable:
            return _declined("amount_not_chargeable")
        try:
            if request.method_reference:
                return self._charge_saved(request, amount)
            return self._open_page(request, amount)
        except stripe.IdempotencyError as error:
            # The key was used with other words, as after a change of address: that charge counts.
            found = self.fetch(request.idempotency_key)
            if found is None:
                raise GatewayUnavailable from error
            return found
        except stripe.InvalidRequestError as error:
            return _declined(_refusal(error))

    def fetch(self, idempotency_key: str, *, reference: str = "") -> ChargeResult | None:
        """What became of the charge; None if there is none under the key."""
        found = lookup.read(reference) if reference else None
        found = found or lookup.find(idempotency_key)
        return self._tell(found) if found else None

    def cancel(self, idempotency_key: str, *, reference: str = "") -> ChargeResult:
        """The charge can never be made, unless it was or a bank is already collecting it."""
        found = lookup.read(reference) if reference else None
        if found is None:
            is_certain = lookup.use_up(idempotency_key)
            found = lookup.find(idempotency_key)
            if found is None and not is_certain:
                raise GatewayUnavailable
        if found is None:
            return ChargeResult(status=ChargeStatus.EXPIRED)
        result = self._tell(found)
        if result.status != ChargeStatus.REQUIRES_ACTION:
            return result
        client = connect()
        try:
            with asking("call off"):
                if result.reference.startswith(lookup.SESSION):
                    client.v1.checkout.sessions.expire(result.reference)
                else:
                    client.v1.payment_intents.cancel(result.reference)
        except stripe.InvalidRequestError:
            # The payer was quicker; what is true now is read below.
            logger.info("%s could not be called off", result.reference)
        found = lookup.read(result.reference)
        return self._tell(found) if found else result

    def detach(self, method_reference: str) -> None:
        """Stripe never charges the method again."""
        try:
            with asking("detach"):
                connect().v1.payment_methods.detach(method_reference)
        except stripe.InvalidRequestError as error:
            logger.info("%s was not there to detach: %s", method_reference, error)

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> News:
        """What the event says; BadSignature unless Stripe signed it in the last five minutes.

        Several secrets, parted by commas, hold while one replaces another.
        """
        signature = next(
            (value for name, value in headers.items() if name.lower() == "stripe-signature"), ""
        )
        for secret in settings.STRIPE_WEBHOOK_SECRETS:
            try:
                stripe.WebhookSignature.verify_header(
                    body, signature, secret, SIGNED_WITHIN_SECONDS
                )
                return words.read_news(json.loads(body))
            except (stripe.SignatureVerificationError, ValueError, TypeError, KeyError):
                continue
        raise BadSignature

    def settled_on(self, day: date) -> list[SettledCharge] | None:
        """The charges booked on the day (UTC); what is not a purchase's is left out."""
        start = datetime.combine(day, time.min, UTC)
        client, found = connect(), []
        for kind in ("charge", "payment"):
            with asking("settled"):
                rows = client.v1.balance_transactions.list(
                    {
                        "type": kind,
                        "created": lookup.span(start, start + timedelta(days=1)),
                        "limit": lookup.PAGE,
                        "expand": ["data.source"],
                    }
                )
                found += [row.to_dict()["source"] for row in rows.auto_paging_iter()]
        return [
            SettledCharge(
                idempotency_key=words.key_of(charge),
                reference=str(charge["payment_intent"]),
                amount=to_major(charge["amount"], charge["currency"].upper()),
                currency=charge["currency"].upper(),
            )
            for charge in found
            if isinstance(charge, dict) and words.key_of(charge)
        ]

    def _open_page(self, request: ChargeRequest, amount: int) -> ChargeResult:
        """Every word here is the same each time it is sent, or the key would be refused."""
        description = request.description or str(self.label)
        marks = {words.KEY: request.idempotency_key, "step": lookup.CHECKOUT}
        params: stripe.params.checkout.SessionCreateParams = {
            "mode": "payment",
            "allowed_payment_method_types": [request.way.value],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.currency.lower(),
                        "unit_amount": amount,
                        "product_data": {"name": description},
                    },
                }
            ],
            "client_reference_id": request.idempotency_key,
            "metadata": marks,
            "payment_intent_data": {"description": description, "metadata": marks},
            "success_url": request.return_url,
            "cancel_url": request.return_url,
            "locale": "fr" if request.language.startswith("fr") else "en",
            "expand": lookup.SESSION_IN_FULL,
        }
        if request.saves_method:
            params["payment_intent_data"]["setup_future_usage"] = "off_session"
        if request.customer_reference:
            params["customer"] = request.customer_reference
        else:
            params["customer_creation"] = "always" if request.saves_method else "if_required"
            if request.email:
                params["customer_email"] = request.email
        with asking("open a page"):
            session = connect().v1.checkout.sessions.create(params, _under(request))
        if replayed(session):
            return self._tell(lookup.read(session.id) or session.to_dict())
        return self._tell(session.to_dict())

    def _charge_saved(self, request: ChargeRequest, amount: int) -> ChargeResult:
        marks = {words.KEY: request.idempotency_key, "step": CHARGE}
        if len(request.return_url) <= LONGEST_METADATA:
            # Where the payer is to come back to, should the bank ask when we no longer know.
            marks["return_url"] = request.return_url
        params: stripe.params.PaymentIntentCreateParams = {
            "amount": amount,
            "currency": request.currency.lower(),
            "payment_method": request.method_reference,
            "allowed_payment_method_types": [request.way.value],
            "confirm": True,
            "description": request.description or str(self.label),
            "metadata": marks,
            "expand": lookup.IN_FULL,
        }
        if request.customer_reference:
            params["customer"] = request.customer_reference
        if request.is_off_session:
            params["off_session"] = True
        else:
            params["return_url"] = request.return_url
        try:
            with asking("charge"):
                intent = connect().v1.payment_intents.create(params, _under(request))
        except stripe.CardError as error:
            failed = failed_intent(error)
            if not failed:
                return _declined(error.code or "")
            if is_replay(error.headers):
                failed = lookup.read(failed["id"]) or failed
            return self._tell(failed)
        if replayed(intent):
            return self._tell(lookup.read(intent.id) or intent.to_dict())
        return self._tell(intent.to_dict())

    def _tell(self, one: Json) -> ChargeResult:
        if one["object"] == "checkout.session":
            return words.tell_session(one)
        if words.wants_authentication(one):
            return self._ask_payer(one)
        return words.tell_intent(one)

    def _ask_payer(self, intent: Json) -> ChargeResult:
        """The same intent, with the payer there: the bank gives a page on which to answer."""
        error: Json = intent["last_payment_error"]
        method = (error.get("payment_method") or {}).get("id")
        place = (intent.get("metadata") or {}).get("return_url") or settings.SITE_URL
        if not method:
            return words.tell_intent(intent)
        try:
            with asking("ask the bank"):
                again = connect().v1.payment_intents.confirm(
                    intent["id"],
                    {"payment_method": method, "return_url": place, "expand": lookup.IN_FULL},
                )
            return words.tell_intent(again.to_dict())
        except stripe.CardError as refusal:
            return words.tell_intent(failed_intent(refusal) or intent)
        except stripe.InvalidRequestError:
            # Somebody else asked the bank meanwhile, or the method is gone.
            return words.tell_intent(lookup.read(intent["id"]) or intent)


def _under(request: ChargeRequest) -> stripe.RequestOptions:
    return {"idempotency_key": request.idempotency_key}


def _declined(code: str) -> ChargeResult:
    return ChargeResult(
        status=ChargeStatus.DECLINED,
        decline_code=words.OUR_CODES.get(code, code or "card_declined"),
    )


def _refusal(error: stripe.InvalidRequestError) -> str:
    """Why Stripe would not even try; nothing was charged."""
    if error.param in ("payment_method", "customer"):
        return "method_unavailable"
    if error.code in ("amount_too_small", "amount_too_large", "parameter_invalid_integer"):
        return "amount_not_chargeable"
    logger.error("stripe refuses a charge: %s", error)
    return "payment_refused"
