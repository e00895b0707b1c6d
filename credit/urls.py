"""Addresses of the pages of credit."""

from django.urls import path

from credit.views import credit, members, recharge, statement

urlpatterns = [
    path("members/", members.show_members, name="members"),
    path("members/credit/", credit.manage_credit_of_many, name="credit_many"),
    path("members/auto-recharge/", recharge.manage_recharge_of_many, name="recharge_many"),
    path("members/<int:pk>/credit/", credit.manage_credit, name="member_credit"),
    path("members/<int:pk>/auto-recharge/", recharge.manage_recharge, name="member_recharge"),
    path("members/<int:pk>/statement/", statement.show_member_statement, name="member_statement"),
    path("me/statement/", statement.show_own_statement, name="own_statement"),
    path("statement/", statement.show_company_statement, name="company_statement"),
]
