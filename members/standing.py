"""Whether a company is active, frozen or closed. Its one rule: only the operator changes it."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.errors import CompanyNotActive
from members.models import Company
from skypemgr.lib.errors import Conflict, NotAllowed

State = Company.State


def require_active_company(company: Company) -> None:
    """Returns only for an active company; CompanyNotActive says whether it is frozen or closed."""
    if company.state == State.FROZEN:
        raise CompanyNotActive(
            _("Your company is frozen. Contact the operator of this service."),
            code="company_frozen",
        )
    if company.state == State.CLOSED:
        raise CompanyNotActive(_("Your company is closed."), code="company_closed")


def freeze_company(*, actor: Actor) -> Company:
    """The company is frozen: nothing moves but calls."""
    return _change(actor, "freeze_company", before=(State.ACTIVE,), after=State.FROZEN)


def unfreeze_company(*, actor: Actor) -> Company:
    """A frozen company is active again."""
    return _change(actor, "unfreeze_company", before=(State.FROZEN,), after=State.ACTIVE)


def close_company(*, actor: Actor) -> Company:
    """The company is closed for good: nothing moves any more."""
    return _change(actor, "close_company", before=(State.ACTIVE, State.FROZEN), after=State.CLOSED)


def _change(actor: Actor, verb: str, *, before: tuple[str, ...], after: str) -> Company:
    if not actor.is_system:
        raise NotAllowed(_("Only the operator of this service can do this."))
    with transaction.atomic():
        company = Company.objects.select_for_update(no_key=True).get(pk=actor.company.pk)
        if company.state not in before:
            raise Conflict(
                _("This cannot be done: the company is %(state)s.")
                % {"state": company.get_state_display()},
                code=f"company_{company.state}",
            )
        company.state = after
        company.save(update_fields=["state"])
        record(actor, verb, subject=f"company:{company.pk}")
    return company
