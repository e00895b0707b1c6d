"""Whether a company is active, frozen or closed. Its one rule: only the operator freezes;
closing is a verb of billing, which changes the state here.
"""

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.errors import CompanyNotActive
from members.models import Company
from skypemgr.lib.errors import Conflict, NotAllowed

State = Company.State


def require_active_company(company: Company) -> None:
    """Returns only for an active company; CompanyNotActive says whether it is frozen or closed."""
    _require_active_state(company.state)


def hold_active_company(company_id: int) -> None:
    """Inside a transaction: as ``require_active_company``, and the company stays active until the
    end; who freezes or closes it waits. Any number may hold it at once.
    """
    if not connection.in_atomic_block:
        raise AssertionError("a company is held inside a transaction")
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM members_company WHERE id = %s FOR SHARE", [company_id])
        (state,) = cursor.fetchone()
    _require_active_state(state)


def lock_company(company_id: int) -> Company:
    """Inside a transaction: the company as it is now, and nobody else changes its state."""
    return Company.objects.select_for_update(no_key=True).get(pk=company_id)


def set_state(company: Company, state: str, *, before: tuple[str, ...]) -> None:
    """The locked company has the state; Conflict unless it was in one of those before."""
    if company.state not in before:
        raise Conflict(
            _("This cannot be done: the company is %(state)s.")
            % {"state": company.get_state_display()},
            code=f"company_{company.state}",
        )
    company.state = state
    company.save(update_fields=["state"])


def freeze_company(*, actor: Actor) -> Company:
    """The company is frozen: nothing moves but calls."""
    return _change(actor, "freeze_company", before=(State.ACTIVE,), after=State.FROZEN)


def unfreeze_company(*, actor: Actor) -> Company:
    """A frozen company is active again."""
    return _change(actor, "unfreeze_company", before=(State.FROZEN,), after=State.ACTIVE)


def _change(actor: Actor, verb: str, *, before: tuple[str, ...], after: str) -> Company:
    if not actor.is_system:
        raise NotAllowed(_("Only the operator of this service can do this."))
    with transaction.atomic():
        company = lock_company(actor.company.pk)
        set_state(company, after, before=before)
        record(actor, verb, subject=f"company:{company.pk}")
    return company


def _require_active_state(state: str) -> None:
    if state == State.FROZEN:
        raise CompanyNotActive(
            _("Your company is frozen. Contact the operator of this service."),
            code="company_frozen",
        )
    if state == State.CLOSED:
        raise CompanyNotActive(_("Your company is closed."), code="company_closed")
