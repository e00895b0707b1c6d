"""The filters of members for programs. Its one rule: those of the page, by the same names; what is
not understood is refused, never ignored.
"""

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from credit.exports import FORMATS, download_members
from credit.member_filters import PARAMETERS, RULE_STATES, STATUSES, MemberFilters
from credit.queries.members import DEFAULT_SORT, SORTS
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.models.people import Role
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import BadRequest, require_text

LONGEST = 200
FILTERS = [
    OpenApiParameter("q", str, description="Words of the name or an address, or a phone number."),
    OpenApiParameter(
        "list", str, description="The number of a list: its members; none: those in no list."
    ),
    OpenApiParameter("role", str, enum=Role.values),
    OpenApiParameter(
        "status",
        str,
        enum=[value for value in STATUSES if value],
        description="Without it: active and suspended ones; gone: removed ones and who left.",
    ),
    OpenApiParameter(
        "rule",
        str,
        enum=RULE_STATES,
        description="The state of the auto-recharge rule; none: without a rule.",
    ),
    OpenApiParameter("below", str, description="Balance below this amount, such as 5.00."),
    OpenApiParameter(
        "due", str, enum=["1"], description="Balance below the level of the own rule, which runs."
    ),
    OpenApiParameter("joined_from", OpenApiTypes.DATE, description="In the company's time zone."),
    OpenApiParameter("joined_to", OpenApiTypes.DATE, description="This day included."),
]
SORT = OpenApiParameter("sort", str, enum=list(SORTS), description="name without it.")
FORMAT = OpenApiParameter("format", str, enum=FORMATS, description="csv without it.")


class MembersExportDoor(Door):
    """The members as a file."""

    @extend_schema(
        operation_id="members_export",
        parameters=[*FILTERS, SORT, FORMAT],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"): (
                OpenApiTypes.BINARY
            ),
        },
    )
    def get(self, request: ApiRequest) -> HttpResponseBase:
        """All members that the filters leave, with balance, spending and rule, in one file."""
        form = require_text(request, "format", max_length=10) or "csv"
        if form not in FORMATS:
            raise BadRequest(_("Ask for csv or xlsx."), code="invalid_format", field="format")
        sort = require_text(request, "sort", max_length=20) or DEFAULT_SORT
        if sort not in SORTS:
            raise BadRequest(_("This order is not known."), code="invalid", field="sort")
        return download_members(
            request.actor.company,
            read_filters(request),
            sort=sort,
            form=form,
            language="en",
            now=utc_now(),
        )


def read_filters(request: ApiRequest) -> MemberFilters:
    """The filters that the address names; BadRequest naming the first that is not understood."""
    values = {name: require_text(request, name, max_length=LONGEST) for name in PARAMETERS}
    filters = MemberFilters.of(values, exact=True)
    for name, sentence in filters.errors.items():
        raise BadRequest(sentence, code="invalid", field=name)
    return filters
