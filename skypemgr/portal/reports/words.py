"""What a report is narrowed to, in words. Its one rule: each filter is one whole phrase, so that
other languages can say it their way.
"""

from django.utils.translation import gettext as _

from members.models import Company, Member, MemberList
from skypemgr.portal.reports.base import Filters, Report


def filter_words(company: Company, report: Report, filters: Filters) -> list[str]:
    """Kind, list and member, as far as the report is narrowed to them; empty for the whole company.
    One query for a list, one for a member.
    """
    words = [str(kind.label) for kind in report.kinds if kind.value and kind.value == filters.kind]
    if not report.can_choose_people:
        return words
    if filters.list_id is not None:
        chosen = MemberList.objects.get(company=company, pk=filters.list_id)
        words.append(_("List: %(name)s") % {"name": chosen.name})
    if filters.member_id is not None:
        member = Member.objects.get(company=company, pk=filters.member_id)
        words.append(_("Member: %(name)s") % {"name": member.name})
    return words
