"""The tables of who. Each model lives in the module named for its topic."""

from members.models.companies import Company
from members.models.imports import ImportJob, ImportRow
from members.models.invitations import Invitation
from members.models.people import Member, MemberList
from members.models.placements import MemberPlacement
from members.models.records import AuditedMember, AuditEntry, MutedNotice, Notice
from members.models.tokens import ApiToken
from members.models.users import User

__all__ = [
    "ApiToken",
    "AuditEntry",
    "AuditedMember",
    "Company",
    "ImportJob",
    "ImportRow",
    "Invitation",
    "Member",
    "MemberList",
    "MemberPlacement",
    "MutedNotice",
    "Notice",
    "User",
]
