"""The API's addresses about how much."""

from django.urls.resolvers import URLPattern

from credit.api.activity import ActivityDoor
from credit.api.alerts import AlertDoor
from credit.api.allocations import AllocationsDoor
from credit.api.company import CompanyDoor
from credit.api.credit_requests import (
    ApproveDoor,
    CreditRequestsDoor,
    DeclineDoor,
    OwnRequestsDoor,
    WithdrawDoor,
)
from credit.api.holds import AuthorizeDoor, ReleaseDoor, SettleDoor
from credit.api.lists import ListBalancesDoor
from credit.api.member_filters import MembersExportDoor
from credit.api.members import MembersDoor, OwnDoor
from credit.api.recharge import OwnRuleDoor, RuleDoor
from credit.api.standing import (
    ReactivateDoor,
    ReactivateManyDoor,
    SuspendDoor,
    SuspendManyDoor,
)
from credit.api.statement import CompanyStatementDoor, MemberStatementDoor, OwnStatementDoor
from members.api.base import door

urlpatterns: list[URLPattern] = [
    door("me", OwnDoor, "me"),
    door("me/auto-recharge", OwnRuleDoor, "own_auto_recharge"),
    door("me/credit-requests", OwnRequestsDoor, "own_credit_requests"),
    door("me/credit-requests/<request_id>/withdraw", WithdrawDoor, "withdraw_request"),
    door("credit-requests", CreditRequestsDoor, "credit_requests"),
    door("credit-requests/<request_id>/approve", ApproveDoor, "approve_request"),
    door("credit-requests/<request_id>/decline", DeclineDoor, "decline_request"),
    door("me/statement", OwnStatementDoor, "own_statement"),
    door("company", CompanyDoor, "company"),
    door("company/low-balance-alert", AlertDoor, "low_balance_alert"),
    door("company/statement", CompanyStatementDoor, "company_statement"),
    door("lists/balances", ListBalancesDoor, "list_balances"),
    door("members", MembersDoor, "members"),
    door("members/export", MembersExportDoor, "members_export"),
    door("members/<member_id>/auto-recharge", RuleDoor, "auto_recharge"),
    door("members/<member_id>/statement", MemberStatementDoor, "member_statement"),
    door("members/suspend", SuspendManyDoor, "suspend_members"),
    door("members/reactivate", ReactivateManyDoor, "reactivate_members"),
    door("members/<member_id>/activity", ActivityDoor, "member_activity"),
    door("members/<member_id>/suspend", SuspendDoor, "suspend_member"),
    door("members/<member_id>/reactivate", ReactivateDoor, "reactivate_member"),
    door("allocations", AllocationsDoor, "allocations"),
    door("calls/authorize", AuthorizeDoor, "authorize"),
    door("calls/<hold_id>/settle", SettleDoor, "settle"),
    door("calls/<hold_id>/release", ReleaseDoor, "release"),
]
