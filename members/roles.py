"""What members may do. Its one rule: a company always has an active administrator."""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.errors import InvalidField, LastAdministrator
from members.models import Company, Member
from members.models.people import Role


def change_role(*, actor: Actor, member: Member, role: str) -> Member:
    """The member has the role; LastAdministrator if nobody else would administer the company."""
    actor.require_administrator()
    with transaction.atomic():
        locked = (
            Member.objects.select_for_update(no_key=True, of=("self",))
            .select_related("company", "user", "list")
            .get(pk=member.pk, company=actor.company)
        )
        before = locked.role
        if set_role(locked, role):
            record(actor, "change_role", subject=f"member:{locked.pk}", before=before, after=role)
    return locked


def set_role(member: Member, role: str) -> bool:
    """Inside a transaction that holds the member: the role is set; False if it was so already."""
    if role not in Role.values:
        raise InvalidField(_("Choose a role from the list."), field="role")
    if role == member.role:
        return False
    if member.role == Role.ADMINISTRATOR:
        require_another_administrator(member)
    member.role = role
    member.save(update_fields=["role"])
    return True


def require_another_administrator(member: Member) -> None:
    """Returns only if somebody else administers the company; until the end nobody steps down."""
    require_administrator_besides(member.company_id, [member.pk])


def require_administrator_besides(company_id: int, member_ids: Collection[int]) -> None:
    """Returns only if somebody besides these administers the company; until the end of the
    transaction nobody steps down. Nobody need administer a closed one."""
    # Two administrators who step down at once wait for each other here.
    company = Company.objects.select_for_update(no_key=True).get(pk=company_id)
    if company.state == Company.State.CLOSED:
        return
    others = Member.objects.filter(
        company=company_id, role=Role.ADMINISTRATOR, status=Member.Status.ACTIVE
    ).exclude(pk__in=member_ids)
    if not others.exists():
        raise LastAdministrator(
            _("The company needs an administrator. Make somebody else one first."), field="role"
        )
