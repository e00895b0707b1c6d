from decimal import Decimal
from pathlib import Path

from credit.credit_requests import approve_request, decline_request, request_credit
from members.actors import Actor
from members.models import Member
from tests.browser.conftest import Desk
from tests.conftest import credit_company, make_member

OUT = Path("/tmp/own_shots")


def shots(desk: Desk, who: Member, name: str, address: str) -> None:
    for label, options in (
        ("light", {}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": {"width": 390, "height": 800}}),
    ):
        page = desk.open(who, "en", **options)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], (name, label, width)
        page.screenshot(path=str(OUT / f"{name}_{label}.png"), full_page=True)
        page.context.close()


def test_shots(desk: Desk, alice: Member, bob: Member) -> None:
    OUT.mkdir(exist_ok=True)
    credit_company(alice.company, "500")
    first = request_credit(actor=Actor.of_member(bob), amount=Decimal(30), reason="Trip to Oslo")
    approve_request(actor=Actor.of_member(alice), request_id=first.pk)
    dora = make_member(alice.company, "dora")
    second = request_credit(actor=Actor.of_member(dora), amount=Decimal(500), reason="Everything")
    decline_request(actor=Actor.of_member(alice), request_id=second.pk, answer="Next month.")
    shots(desk, bob, "ask", "/me/request/")
    wish = request_credit(
        actor=Actor.of_member(bob),
        amount=Decimal("12.5"),
        reason="Customer support line during the fair in Hanover, three days with many calls abroad",
    )
    request_credit(actor=Actor.of_member(dora), amount=Decimal(5), reason="Phone")
    shots(desk, bob, "asked", "/me/request/")
    shots(desk, bob, "me", "/me/")
    shots(desk, alice, "requests", "/requests/")
    shots(desk, alice, "decline", f"/requests/{wish.pk}/decline/")
