"""The pages that a payer sees at the payment server: checkout, PayPal, the bank's authentication.

Its one rule: plain forms that work without a script, each button doing what it says.
"""

from collections.abc import Callable
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tests.fakes import payment_money as money
from tests.fakes import payment_sessions as sessions
from tests.fakes.payment_errors import ApiError, Json
from tests.fakes.payment_params import NO_DECIMALS, THREE_DECIMALS
from tests.fakes.payment_store import Store

FRENCH = {
    "Pay": "Payer",
    "Card number": "Numéro de carte",
    "Cancel and go back": "Annuler et revenir",
    "Continue to PayPal": "Continuer vers PayPal",
    "PayPal account": "Compte PayPal",
    "Agree and pay": "Accepter et payer",
    "Approve": "Approuver",
    "Refuse": "Refuser",
    "Your bank wants to know that it is you": "Votre banque veut s'assurer que c'est bien vous",
    "Pay with PayPal": "Payer avec PayPal",
    "This page is no longer open.": "Cette page n'est plus ouverte.",
    "Your card was declined.": "Votre carte a été refusée.",
    "Your card has insufficient funds.": "Votre carte n'est pas suffisamment approvisionnée.",
    "The payment was not approved.": "Le paiement n'a pas été approuvé.",
}
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f4f5f8;color:#1a1f36}
main{max-width:26rem;margin:8vh auto;background:#fff;border-radius:12px;padding:2rem;
box-shadow:0 2px 16px #0002}
h1{font-size:1rem;font-weight:500;margin:0;color:#4f566b}
.amount{font-size:2rem;font-weight:600;margin:.25rem 0 1.5rem}
label{display:block;font-size:.85rem;margin-bottom:.25rem}
input{width:100%;box-sizing:border-box;font:inherit;padding:.6rem;border:1px solid #aab;
border-radius:6px;margin-bottom:1rem}
button{width:100%;font:inherit;font-weight:600;padding:.7rem;border:0;border-radius:6px;
background:#0a5bd3;color:#fff;margin-bottom:.75rem}
button.quiet{background:#e3e8ee;color:#1a1f36}
.error{background:#fdeceb;color:#8c1b12;border-radius:6px;padding:.6rem;margin-bottom:1rem}
"""
Answer = tuple[int, str, str]


class Pages:
    """Draws the pages and does what their buttons say; an answer is status, place, text."""

    def __init__(self, store: Store, base: str) -> None:
        self.store, self.base = store, base

    def show(self, path: str, query: str) -> Answer:
        """The page at the path."""
        _empty, name, *rest = path.split("/")
        if name == "c" and len(rest) == 2:
            session = self._session(rest[1])
            if rest[0] == "done":
                return self._back(session)
            return self._checkout(session, dict(parse_qsl(query)).get("error", ""))
        if name in ("3ds", "paypal") and len(rest) == 1:
            return self._question(name, money.find(self.store, "payment_intent", rest[0]))
        raise ApiError("There is no such page.", status=404)

    def press(self, path: str, form: dict[str, str]) -> Answer:
        """A button of the page was pressed."""
        _empty, name, *rest = path.split("/")
        if name == "c" and rest[:1] == ["pay"]:
            return self._pay(self._session(rest[1]), form)
        if name in ("3ds", "paypal") and len(rest) == 1:
            intent = money.find(self.store, "payment_intent", rest[0])
            return self._answer(intent, approved=form.get("answer") == "approve")
        raise ApiError("There is no such page.", status=404)

    def _session(self, pk: str) -> Json:
        return sessions.refresh(self.store, money.find(self.store, "checkout.session", pk))

    def _pay(self, session: Json, form: dict[str, str]) -> Answer:
        if session["status"] != "open":
            return self._back(session)
        try:
            method = money.make_method(
                self.store,
                form.get("way", session["payment_method_types"][0]),
                number=form.get("number", ""),
                email=form.get("email", ""),
                iban=form.get("iban", ""),
            )
            intent = sessions.pay(self.store, session, method, self.base)
        except ApiError as error:
            # The failed attempt is part of what happened.
            raise Refused(self._checkout(session, str(error))) from error
        action = intent["next_action"]
        if action:
            return 303, action["redirect_to_url"]["url"], ""
        return self._back(self._session(session["id"]))

    def _back(self, session: Json) -> Answer:
        if session["status"] == "complete":
            place = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
            return 303, place, ""
        words = urlencode({"error": "The payment was not approved."})
        return 303, f"{self.base}/c/pay/{session['id']}?{words}", ""

    def _answer(self, intent: Json, *, approved: bool) -> Answer:
        if intent["status"] == "requires_action":
            intent = money.answer_action(self.store, intent, approved=approved)
            sessions.complete(self.store, intent)
        is_good = intent["status"] in ("succeeded", "processing")
        parts = urlsplit(intent["_return_url"])
        query = [
            *parse_qsl(parts.query),
            ("payment_intent", intent["id"]),
            ("payment_intent_client_secret", intent["client_secret"]),
            ("redirect_status", "succeeded" if is_good else "failed"),
        ]
        return 303, urlunsplit(parts._replace(query=urlencode(query))), ""

    def _checkout(self, session: Json, error: str) -> Answer:
        say = _speaker(session["locale"])
        if session["status"] != "open":
            text = f"<p>{say('This page is no longer open.')}</p>"
            return 410, "", _page(session["locale"], say("Pay"), text)
        forms = "".join(_form(way, say) for way in session["payment_method_types"])
        shown = f'<p class="error" role="alert">{escape(say(error))}</p>' if error else ""
        back = ""
        if session["cancel_url"]:
            place = escape(session["cancel_url"])
            back = f'<p><a id="cancel" href="{place}">{say("Cancel and go back")}</a></p>'
        amount = _money(session["amount_total"], session["currency"])
        head = f"<h1>{escape(session['_description'])}</h1><p class=amount>{amount}</p>"
        return 200, "", _page(session["locale"], say("Pay"), head + shown + forms + back)

    def _question(self, name: str, intent: Json) -> Answer:
        session = self.store.get(intent.get("_session", "")) or {}
        say = _speaker(session.get("locale"))
        if intent["status"] != "requires_action":
            return 410, "", _page(None, "", f"<p>{say('This page is no longer open.')}</p>")
        title = "Pay with PayPal" if name == "paypal" else "Your bank wants to know that it is you"
        amount = _money(intent["amount"], intent["currency"])
        text = (
            f"<h1>{say(title)}</h1><p class=amount>{amount}</p><form method=post>"
            f'<button name="answer" value="approve">{say("Approve")}</button>'
            f'<button class="quiet" name="answer" value="refuse">{say("Refuse")}</button></form>'
        )
        return 200, "", _page(session.get("locale"), say(title), text)


class Refused(ApiError):
    """A payment on the page was refused: the attempt is kept, and the page is shown again."""

    def __init__(self, page: Answer) -> None:
        super().__init__("refused", keeps=True)
        self.page = page


def _form(way: str, say: Callable[[str], str]) -> str:
    if way == "card":
        field = (
            f'<label for="number">{say("Card number")}</label>'
            '<input id="number" name="number" inputmode="numeric" value="4242424242424242">'
        )
        button = say("Pay")
    elif way == "paypal":
        field = (
            f'<label for="email">{say("PayPal account")}</label>'
            '<input id="email" name="email" type="email" value="payer@example.com">'
        )
        button = say("Continue to PayPal")
    else:
        field = (
            '<label for="iban">IBAN</label>'
            '<input id="iban" name="iban" value="DE89 3704 0044 0532 0130 00">'
        )
        button = say("Agree and pay")
    hidden = f'<input type="hidden" name="way" value="{way}">'
    return f'<form method="post">{hidden}{field}<button id="pay-{way}">{button}</button></form>'


def _speaker(locale: str | None) -> Callable[[str], str]:
    if (locale or "").startswith("fr"):
        return lambda text: FRENCH.get(text, text)
    return lambda text: text


def _money(amount: int, currency: str) -> str:
    places = 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    whole = f"{amount / 10**places:,.{places}f}"
    return f"{whole} {currency.upper()}"


def _page(locale: str | None, title: str, body: str) -> str:
    language = "fr" if (locale or "").startswith("fr") else "en"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )
