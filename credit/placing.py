"""Where members belonged, for statements. Its one rule: a day has the list and cost centre of the
latest placement up to it, else of the first one.
"""

_PLACE = """
LEFT JOIN LATERAL (
  SELECT list_id, cost_centre FROM members_memberplacement placement
   WHERE placement.member_id = {member}
   ORDER BY placement.valid_from <= {day} DESC, abs(placement.valid_from - {day})
   LIMIT 1
) place ON true
"""
# Only those who were ever in the list are looked up by day: a condition, where a join would come
# after.
_EVER_IN_LIST = """
 ({member} IN (SELECT member_id FROM members_memberplacement WHERE list_id = %(list)s)) IS TRUE
"""


def place_on(member: str, day: str) -> str:
    """Joins ``place``: ``list_id`` and ``cost_centre`` of the member in this column on the day in
    that; both NULL without a placement.
    """
    return _PLACE.format(member=member, day=day)


def ever_in_list(member: str) -> str:
    """The condition that the member in this column was on some day in the list ``%(list)s``."""
    return _EVER_IN_LIST.format(member=member)


# Of the purse ``account`` that moved on the day of the daily total ``total``.
PLACE = place_on("account.member_id", "total.day")
