"""Every page, narrow and wide, light and dark, in both languages: nothing sticks out, nothing shuts
anybody out, and the browser has nothing to complain of.
"""

import pytest
from playwright.sync_api import expect

from billing.features.catalogue import PLANS, import_plans
from billing.models import AutoPurchaseRule, NumberArea, PhoneNumber, Subscription
from members.actors import Actor
from members.delivery import send_pending_invitations
from members.invitations import invite_members
from members.models import Member
from members.welcome import welcome_url
from skypemgr.lib.periods import utc_now
from tests.billing.conftest import LATE
from tests.billing.features.phone_kit import equip, number_of
from tests.browser.conftest import Desk
from tests.browser.gallery import NARROW, WIDE, Gallery
from tests.browser.outbox import follow_link
from tests.browser.words import Words
from tests.browser.world import World, buy, give_features, make_world
from tests.conftest import make_company


@pytest.fixture
def gallery(words: Words) -> Gallery:
    return Gallery(words.language)


@pytest.fixture
def world(transactional_db: None, words: Words) -> World:
    return make_world(words.language)


def test_the_pages_before_signing_in(desk: Desk, gallery: Gallery, world: World) -> None:
    invite_members(
        actor=Actor.of_member(world.alice),
        way="email",
        addresses=["nouvelle.collaboratrice@example.com"],
    )
    send_pending_invitations()
    page = desk.open(language=gallery.language)
    gallery.visit(
        page,
        {
            "sign-in": "/accounts/login/",
            "sign-up": "/accounts/signup/",
            "forgotten": "/accounts/password/reset/",
            "outbox": "/outbox/",
            "welcome": welcome_url(world.members[0].user),
        },
    )
    follow_link(page, "nouvelle.collaboratrice", "/invitations/")
    gallery.take(page, "invitation")
    page.goto("/accounts/login/")
    page.locator("form button[type=submit]").last.click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    gallery.take(page, "sign-in-refused")
    desk.watch.expected |= {404, 410}
    page.goto("/invitations/not-a-link/")
    gallery.take(page, "invitation-over")
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_a_new_company(desk: Desk, gallery: Gallery, world: World) -> None:
    newcomer = make_company("Radium", "newcomer", language=gallery.language)
    page = desk.open(newcomer, gallery.language)
    gallery.visit(
        page,
        {
            "dashboard-new": "/",
            "purchases-new": "/purchases/",
            "payment-settings-new": "/settings/payment/",
            "report-new": "/reports/usage/",
            "me-new": "/me/",
            "settings": "/settings/",
            "archive": "/settings/archive/",
            "tokens": "/settings/tokens/",
        },
    )
    Member.objects.filter(pk=newcomer.pk).update(status="left")
    page.goto("/company/new/")
    gallery.take(page, "company-new")
    assert not gallery.faults, gallery.describe()


def test_the_pages_about_members(desk: Desk, gallery: Gallery, world: World) -> None:
    page = desk.open(world.alice, gallery.language)
    first, second = (member.pk for member in world.members[:2])
    gallery.visit(
        page,
        {
            "dashboard": "/",
            "members": "/members/",
            "members-nobody": "/members/?q=xyz",
            "members-filtered": "/members/?role=member&below=5&joined_from=x",
            "members-all-ticked": "/members/?ticked=every",
            "suspend-many": "/members/suspend/?every=1",
            "remove-many": "/members/remove/?every=1",
            "move-many": "/members/move/?every=1",
            "member": f"/members/{first}/",
            "credit": f"/members/{first}/credit/",
            "credit-many": "/members/credit/?all=1",
            "recharge": f"/members/{first}/auto-recharge/",
            "recharge-suspended": f"/members/{second}/auto-recharge/",
            "recharge-many": "/members/auto-recharge/?all=1",
            "create": "/members/create/",
            "statement-member": f"/members/{second}/statement/",
            "statement-company": "/statement/",
            "lists": "/members/lists/",
            "list-create": "/members/lists/create/",
            "requests-none": "/requests/",
        },
    )
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_settings_and_of_oneself(desk: Desk, gallery: Gallery, world: World) -> None:
    # Forms and lines as elsewhere: each width and theme once; in French where words are tightest.
    gallery.views = (WIDE, NARROW) if gallery.language == "en" else (NARROW,)
    page = desk.open(world.alice, gallery.language)
    gallery.visit(
        page,
        {
            "imports": "/members/import/",
            "company-profile": "/settings/company/",
            "audit": "/settings/audit/",
            "call-details": "/settings/call-details/",
            "alerts": "/settings/alerts/",
            "purchase-limits": "/settings/payment/limits/",
            "profile": "/profile/",
            "sessions": "/profile/sessions/",
            "notices": "/notices/",
            "notice-choices": "/profile/notices/",
            "suspend": f"/members/{world.members[1].pk}/suspend/",
            "remove": f"/members/{world.members[1].pk}/remove/",
            "close": "/settings/close/",
            "leave-last": "/me/leave/",
        },
    )
    former = world.members[0]
    page = desk.open(former, gallery.language)
    gallery.visit(page, {"leave": "/me/leave/"})
    Member.objects.filter(pk=former.pk).update(status="left", ended_at=utc_now())
    gallery.visit(page, {"me-former": "/me/"})
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_phones(desk: Desk, gallery: Gallery, world: World, words: Words) -> None:
    area = NumberArea.objects.create(country="FR", code="1", name="Paris")
    PhoneNumber.objects.create(e164="+33180000000", area=area)
    member, other = world.members[:2]
    equip(world.alice, member, other, now=utc_now())
    number_of(world.alice, member, now=utc_now())
    pages = {
        feature.kind: f"/features/{feature.pk}/settings/"
        for feature in Subscription.objects.filter(member=member).exclude(kind="number")
    }
    page = desk.open(world.alice, gallery.language)
    gallery.visit(page, {f"settings-{kind}": address for kind, address in pages.items()})
    page.goto(pages["voicemail"])
    page.locator("input[name=greeting][value=text]").check()
    desk.watch.expected.add(422)
    page.get_by_role("button", name=words("Save")).click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    gallery.take(page, "settings-voicemail-refused")
    page = desk.open(other, gallery.language)
    own = Subscription.objects.get(member=other, kind="caller_id")
    gallery.visit(page, {"own-caller-id-none": f"/me/features/{own.pk}/"})
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_who_has_what(desk: Desk, gallery: Gallery, world: World) -> None:
    page = desk.open(world.alice, gallery.language)
    gallery.visit(page, {"features-none": "/features/"})
    with PLANS.open("rb") as file:
        import_plans(file)
    gallery.visit(page, {"features-new": "/features/"})
    give_features(world.alice, world.members)
    first = world.members[0]
    gallery.visit(
        page,
        {
            "features": "/features/",
            "features-of-kind": "/features/subscription/",
            "features-who-has-it": "/features/subscription/?has=yes&sort=until",
            "features-all-ticked": "/features/number/?ticked=every",
            "features-nobody": "/features/voicemail/?q=xyz&state=ends",
            "features-not-yet": "/features/caller-id/?has=yes",
            "member-features": f"/members/{first.pk}/features/",
            "renewals": "/features/renewals/",
        },
    )
    gallery.visit(desk.open(world.fiona, gallery.language), {"features-finance": "/features/"})
    gallery.visit(desk.open(first, gallery.language), {"me-features": "/me/"})
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_giving(desk: Desk, gallery: Gallery, world: World, words: Words) -> None:
    with PLANS.open("rb") as file:
        import_plans(file)
    give_features(world.alice, world.members)
    NumberArea.objects.update(note_en="Of France. " * 20, note_fr="De France. " * 20)
    area = NumberArea.objects.get()
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+3318000001{last}", area=area) for last in range(5)
    )
    first, second = world.members[:2]
    who = f"member={first.pk}&member={second.pk}"
    page = desk.open(world.alice, gallery.language)
    gallery.visit(
        page,
        {
            "give-number": f"/features/number/give/?{who}",
            "give-subscription": f"/features/subscription/give/?{who}",
            "give-nothing-found": f"/features/subscription/give/?{who}&find=xyz",
            "give-left-out": "/features/voicemail/give/period/?all=1&plan=voicemail",
        },
    )
    query = f"{who}&plan=number-fr&area={area.pk}&accepted=1"
    page.goto(f"/features/number/give/period/?{query}")
    gallery.take(page, "give-period")
    page.get_by_role("button", name=words("Continue")).click()
    page.wait_for_url("**/check/**")
    gallery.take(page, "give-check")
    page.get_by_role("button", name=words("Buy now")).click()
    page.wait_for_url("**/given/**")
    gallery.take(page, "give-done")
    poor = f"/features/subscription/give/check/?all=1&plan=world-400&months=12&key={'0' * 32}"
    gallery.visit(page, {"give-poor": poor})
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_single_features(desk: Desk, gallery: Gallery, world: World) -> None:
    with PLANS.open("rb") as file:
        import_plans(file)
    give_features(world.alice, world.members)
    NumberArea.objects.update(note_en="Of France. " * 20, note_fr="De France. " * 20)
    first = world.members[0]
    page = desk.open(world.alice, gallery.language)
    number = Subscription.objects.filter(member=first, number__isnull=False).latest("pk")
    ends = Subscription.objects.filter(renews=False).latest("pk")
    changes = Subscription.objects.filter(next_plan__isnull=False).latest("pk")
    several = "&".join(f"feature={each.pk}" for each in Subscription.objects.all())
    gallery.visit(
        page,
        {
            "feature": f"/features/{number.pk}/",
            "feature-ends": f"/features/{ends.pk}/",
            "feature-changes": f"/features/{changes.pk}/",
            "feature-change": f"/features/{changes.pk}/change/",
            "feature-cancel": f"/features/{number.pk}/cancel/",
            "feature-undo": f"/features/{ends.pk}/undo/",
            "feature-reallocate": f"/features/{number.pk}/reallocate/",
            "features-cancel": f"/features/cancel/?{several}",
            "member-kinds": f"/members/{first.pk}/features/allowed/",
            "remove-with-features": f"/members/{first.pk}/remove/",
        },
    )
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_inviting(desk: Desk, gallery: Gallery, world: World, words: Words) -> None:
    page = desk.open(world.alice, gallery.language)
    page.goto("/members/invite/")
    gallery.take(page, "invite")
    page.get_by_label(words("E-mail addresses, user names or phone numbers")).fill(
        "une.adresse.plutot.longue@sous-domaine.example.com, nadia@example.com, not an address"
    )
    page.get_by_role("button", name=words("Next")).click()
    page.locator("summary", has_text=words("Create a list")).click()
    gallery.take(page, "invite-check")
    page.get_by_role("button", name=words("Send invites")).click()
    expect(page.locator(".steps-item.is-current .steps-label")).to_have_text(words("Sent"))
    gallery.take(page, "invite-sent")
    page.goto("/members/invitations/")
    gallery.take(page, "invitations")
    page.goto("/members/")
    page.get_by_label(words("Select all on this page")).check()
    gallery.take(page, "members-ticked")
    page.goto(f"/members/{world.members[0].pk}/credit/")
    page.get_by_label(words("Amount")).fill("99999")
    gallery.take(page, "credit-short")
    page.get_by_role("button", name=words("Add credit")).click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    gallery.take(page, "credit-refused")
    page.get_by_label(words("Amount")).fill(words.typed("2.50"))
    gallery.take(page, "credit-preview")
    page.get_by_role("button", name=words("Add credit")).click()
    gallery.take(page, "credit-added")
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_buying(desk: Desk, gallery: Gallery, world: World, words: Words) -> None:
    page = desk.open(world.alice, gallery.language)
    page.goto("/buy/")
    gallery.take(page, "buy")
    page.get_by_role("button", name=words("Next")).click()
    gallery.take(page, "buy-amount")
    page.get_by_label(words("Other amount"), exact=True).last.fill("75")
    page.get_by_label(words("Turn on auto-recharge")).check()
    page.get_by_label(words("When the company's balance falls below")).fill("20")
    page.get_by_label(words("Monthly limit")).fill("300")
    gallery.take(page, "buy-amount-filled")
    page.get_by_role("button", name=words("Continue")).click()
    gallery.take(page, "buy-check")
    page.goto(page.url.replace("/buy/check/", "/buy/details/"))
    gallery.take(page, "buy-details")
    page.go_back()
    page.get_by_role("button", name=words("Pay now")).click()
    expect(page.get_by_role("heading", name=words("Your payment was received"))).to_be_visible()
    gallery.take(page, "buy-done")
    late = buy(world.alice, "60", LATE, utc_now())
    rule = AutoPurchaseRule.objects.get(company=world.alice.company)
    gallery.visit(
        page,
        {
            "purchase-declined": f"/purchases/{world.declined.pk}/",
            "purchase-asking": f"/purchases/{world.asking.pk}/",
            "purchase-late": f"/purchases/{late.pk}/",
            "purchases": "/purchases/",
            "payment-settings": "/settings/payment/",
            "payment-method-remove": f"/settings/payment/methods/{rule.method_id}/remove/",
        },
    )
    page.goto(world.asking.action_url)
    gallery.take(page, "bank")
    assert not gallery.faults, gallery.describe()


def test_the_pages_of_finance_and_members(
    desk: Desk, gallery: Gallery, world: World, words: Words
) -> None:
    page = desk.open(world.fiona, gallery.language)
    gallery.visit(
        page,
        {
            "finance-dashboard": "/",
            "finance-members": "/members/",
            "finance-member": f"/members/{world.members[0].pk}/",
            "finance-credit": f"/members/{world.members[0].pk}/credit/",
            "dashboard-list": f"/?list={Member.objects.get(pk=world.members[0].pk).list_id}",
            "dashboard-member": f"/?member={world.members[0].pk}",
            "calls": "/calls/",
            "call-price": "/calls/price/?number=0142278186",
            "report-summary": "/reports/summary/",
            "report-purchases": "/reports/purchases/",
            "report-allocations": "/reports/allocations/",
            "report-usage": "/reports/usage/",
            "report-year": "/reports/summary/?year=2026&by=month",
            "report-list": "/reports/summary/?by=list",
            "report-cost-centre": "/reports/summary/?by=cost_centre",
            "report-files": "/reports/download/",
            "report-files-mine": "/reports/exports/",
        },
    )
    page = desk.open(world.members[1], gallery.language)
    gallery.visit(page, {"me": "/me/", "statement-own": "/me/statement/", "calls-own": "/calls/"})
    page.goto("/me/request/")
    gallery.take(page, "request")
    page.get_by_label(words("Amount")).fill("20")
    page.locator("#id_reason").fill("Une semaine de réunions avec l'équipe de Casablanca.")
    page.get_by_role("button", name=words("Send the request")).click()
    gallery.visit(page, {"request-open": "/me/request/"})
    gallery.visit(desk.open(world.alice, gallery.language), {"requests": "/requests/"})
    desk.watch.expected |= {403, 404}
    gallery.visit(page, {"forbidden": "/buy/", "not-found": "/nothing/"})
    assert not gallery.faults, gallery.describe()
