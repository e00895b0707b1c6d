"""Addresses of the pages of credit."""

from django.urls import path

from credit.views import (
    activity,
    alerts,
    bulk,
    credit,
    lists,
    members,
    recharge,
    requests,
    standing,
    statement,
)

urlpatterns = [
    path("members/", members.show_members, name="members"),
    path("members/export/", members.export_members, name="members_export"),
    path("members/move/", bulk.move, name="members_move"),
    path("members/suspend/", bulk.suspend, name="members_suspend"),
    path("members/reactivate/", bulk.reactivate, name="members_reactivate"),
    path("members/lists/", lists.show_lists, name="lists"),
    path("members/credit/", credit.manage_credit_of_many, name="credit_many"),
    path("members/auto-recharge/", recharge.manage_recharge_of_many, name="recharge_many"),
    path("members/<int:pk>/credit/", credit.manage_credit, name="member_credit"),
    path("members/<int:pk>/auto-recharge/", recharge.manage_recharge, name="member_recharge"),
    path("members/<int:pk>/suspend/", standing.suspend, name="member_suspend"),
    path("members/<int:pk>/reactivate/", standing.reactivate, name="member_reactivate"),
    path("members/<int:pk>/statement/", statement.show_member_statement, name="member_statement"),
    path("members/<int:pk>/activity/", activity.show_activity, name="member_activity"),
    path("me/statement/", statement.show_own_statement, name="own_statement"),
    path("statement/", statement.show_company_statement, name="company_statement"),
    path("me/request/", requests.ask_for_credit, name="request_credit"),
    path("me/request/<int:pk>/withdraw/", requests.withdraw, name="request_withdraw"),
    path("settings/alerts/", alerts.set_alert, name="alerts"),
    path("requests/", requests.show_requests, name="requests"),
    path("requests/<int:pk>/approve/", requests.approve, name="request_approve"),
    path("requests/<int:pk>/decline/", requests.decline, name="request_decline"),
]
