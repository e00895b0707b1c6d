"""The API's addresses about money."""

from django.urls.resolvers import URLPattern

from billing.api.auto_purchase import AutoPurchaseDoor
from billing.api.purchases import MethodDoor, MethodsDoor, PurchaseDoor, PurchasesDoor
from members.api.base import door

urlpatterns: list[URLPattern] = [
    door("purchases", PurchasesDoor, "purchases"),
    door("purchases/<purchase_id>", PurchaseDoor, "purchase"),
    door("payment-methods", MethodsDoor, "payment_methods"),
    door("payment-methods/<method_id>", MethodDoor, "payment_method"),
    door("auto-purchase", AutoPurchaseDoor, "auto_purchase"),
]
