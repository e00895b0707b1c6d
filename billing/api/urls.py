"""The API's addresses about money."""

from django.urls.resolvers import URLPattern

from billing.api.auto_purchase import AutoPurchaseDoor, ResumeDoor
from billing.api.leaving import (
    CloseDoor,
    LeaveDoor,
    PlaceDoor,
    RemovalDoor,
    RemoveManyDoor,
)
from billing.api.methods import MethodDoor, MethodsDoor
from billing.api.profile import ProfileDoor
from billing.api.purchases import PurchaseDoor, PurchasesDoor
from members.api.base import door

urlpatterns: list[URLPattern] = [
    door("purchases", PurchasesDoor, "purchases"),
    door("purchases/<purchase_id>", PurchaseDoor, "purchase"),
    door("payment-methods", MethodsDoor, "payment_methods"),
    door("payment-methods/<method_id>", MethodDoor, "payment_method"),
    door("auto-purchase", AutoPurchaseDoor, "auto_purchase"),
    door("auto-purchase/resume", ResumeDoor, "auto_purchase_resume"),
    door("billing-profile", ProfileDoor, "billing_profile"),
    door("members/<member_id>", PlaceDoor, "member"),
    door("members/<member_id>/removal", RemovalDoor, "removal"),
    door("members/remove", RemoveManyDoor, "remove_members"),
    door("me/leave", LeaveDoor, "leave"),
    door("company/close", CloseDoor, "close_company"),
]
