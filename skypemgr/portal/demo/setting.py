"""Sets the scene: the company, its logins, its lists. Its one rule: made once, then found again."""

import io
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from billing.methods import save_card
from billing.models import PaymentMethod
from credit.models import Rate
from credit.rates import import_rates
from members.actors import Actor
from members.addresses import prove_email
from members.companies import create_company
from members.details import update_member
from members.joining import add_member
from members.lists import create_list
from members.models import Company, Member, MemberList, User
from skypemgr.portal.demo.cast import LISTS, Person, read_cast

GOOD_CARD = "4242 4242 4242 4242"
BAD_CARD = "4000 0000 0000 0002"
RATES = Path(__file__).resolve().parent / "rates.csv"
LOGIN_PLACES = (0, 1, 2)


@dataclass
class Scene:
    """The company with who is in it so far, by place in the cast."""

    company: Company
    administrator: Member
    lists: dict[str, MemberList]
    good_card: PaymentMethod
    bad_card: PaymentMethod
    members: dict[int, Member] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """The administrator, who decides everything here."""
        return Actor.of_member(self.administrator)


def find_demo() -> Member | None:
    """The demo's administrator, if the demo was begun."""
    first = read_cast()[0]
    return Member.objects.select_related("company", "user").filter(user__email=first.email).first()


def set_scene() -> Scene:
    """Company, lists, rates and cards are there; nobody but the administrator is new."""
    administrator = find_demo() or _found_company()
    actor = Actor.of_member(administrator)
    company = administrator.company
    if not Rate.objects.filter(company=company).exists():
        import_rates(io.BytesIO(RATES.read_bytes()), company=company)
    lists = {found.name: found for found in MemberList.objects.filter(company=company)}
    for name in LISTS:
        if name not in lists:
            lists[name] = create_list(actor=actor, name=name)
    if administrator.list_id is None:
        update_member(actor=actor, member=administrator, list=lists["Direction"])
    scene = Scene(
        company=company,
        administrator=administrator,
        lists=lists,
        good_card=save_card(actor=actor, gateway="sandbox", number=GOOD_CARD),
        bad_card=save_card(actor=actor, gateway="sandbox", number=BAD_CARD),
    )
    by_email = {
        member.user.email: member
        for member in Member.objects.select_related("user", "company").filter(company=company)
    }
    for person in read_cast():
        if person.email in by_email:
            scene.members[person.place] = by_email[person.email]
    return scene


def bring_in(scene: Scene, person: Person) -> None:
    """The person is in the company, in the list."""
    if person.place in scene.members:
        return
    with transaction.atomic():
        scene.members[person.place] = add_member(
            company=scene.company,
            user=_make_login(person),
            name=person.name,
            role=person.role,
            member_list=scene.lists[person.list],
        )


def set_passwords(scene: Scene) -> list[dict[str, str]]:
    """The three logins have new passwords; role, login and password of each."""
    logins = []
    for place in LOGIN_PLACES:
        member = scene.members[place]
        password = f"demo-{secrets.token_urlsafe(6)}"
        member.user.set_password(password)
        member.user.save(update_fields=("password",))
        logins.append({"role": member.role, "login": member.user.email, "password": password})
    return logins


def _found_company() -> Member:
    with transaction.atomic():
        _company, administrator = create_company(
            name="Acme",
            country="FR",
            currency="EUR",
            time_zone="Europe/Paris",
            language="en",
            user=_make_login(read_cast()[0]),
        )
    return administrator


def _make_login(person: Person) -> User:
    user = User.objects.create_user(None, person.email, name=person.name)
    prove_email(user, person.email)
    return user
