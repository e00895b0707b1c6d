"""Lists of members. Its one rule: a name is used once among a company's lists in use."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.errors import DuplicateList, InvalidField
from members.models import MemberList
from skypemgr.lib.text import search_key

MAX_LIST_NAME_LENGTH = 80


def create_list(*, actor: Actor, name: str) -> MemberList:
    """The company has a new, empty list; DuplicateList if it has one of that name already."""
    actor.require_administrator()
    name = " ".join(name.split())
    if not name or len(name) > MAX_LIST_NAME_LENGTH:
        raise InvalidField(_("Give the list a name of at most 80 characters."), field="name")
    try:
        with transaction.atomic():
            member_list = MemberList.objects.create(
                company=actor.company, name=name, name_key=search_key(name)
            )
            record(actor, "create_list", subject=f"list:{member_list.pk}", name=name)
    except IntegrityError as error:
        if "list_name_unique" not in str(error):
            raise
        raise DuplicateList(
            _("Your company already has a list of that name."), field="name"
        ) from error
    return member_list
