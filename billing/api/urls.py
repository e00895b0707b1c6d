"""The API's addresses about money."""

from django.urls import re_path
from django.urls.resolvers import URLPattern

from billing.api.auto_purchase import AutoPurchaseDoor, ResumeDoor
from billing.api.catalogue import (
    AreasDoor,
    NumbersDoor,
    PlanDoor,
    PlansDoor,
    ReserveDoor,
)
from billing.api.feature_settings import (
    CallerIdDoor,
    ForwardingDoor,
    OwnCallerIdDoor,
    OwnForwardingDoor,
    OwnVoicemailDoor,
    VoicemailDoor,
)
from billing.api.features import (
    CancelDoor,
    CancelManyDoor,
    MemberFeaturesDoor,
    OwnFeaturesDoor,
    ReallocateDoor,
    SubscriptionDoor,
    SubscriptionsDoor,
    UndoDoor,
)
from billing.api.leaving import (
    CloseDoor,
    LeaveDoor,
    PlaceDoor,
    RemovalDoor,
    RemoveManyDoor,
)
from billing.api.methods import MethodDoor, MethodsDoor
from billing.api.phones import PhoneNumberDoor, PhoneSettingsDoor
from billing.api.profile import ProfileDoor
from billing.api.purchases import PurchaseDoor, PurchasesDoor
from billing.api.renewals import RenewalsDoor, UnpaidDoor
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
    door("members/<member_id>/voicemail", VoicemailDoor, "voicemail"),
    door("members/<member_id>/call-forwarding", ForwardingDoor, "call_forwarding"),
    door("members/<member_id>/caller-id", CallerIdDoor, "caller_id"),
    door("me/voicemail", OwnVoicemailDoor, "own_voicemail"),
    door("me/call-forwarding", OwnForwardingDoor, "own_call_forwarding"),
    door("me/caller-id", OwnCallerIdDoor, "own_caller_id"),
    door("phone/settings", PhoneSettingsDoor, "phone_settings"),
    # A number as it is dialled, with its plus sign or without.
    re_path(
        r"^phone/numbers/(?P<number>\+?[0-9]{1,18})/?$",
        PhoneNumberDoor.as_view(),
        name="api_phone_number",
    ),
    door("subscriptions", SubscriptionsDoor, "subscriptions"),
    door("subscriptions/cancel", CancelManyDoor, "cancel_subscriptions"),
    door("subscriptions/<subscription_id>", SubscriptionDoor, "subscription"),
    door("subscriptions/<subscription_id>/cancel", CancelDoor, "cancel_subscription"),
    door("subscriptions/<subscription_id>/undo", UndoDoor, "undo_subscription"),
    door("subscriptions/<subscription_id>/reallocate", ReallocateDoor, "reallocate_subscription"),
    door("members/<member_id>/features", MemberFeaturesDoor, "member_features"),
    door("me/features", OwnFeaturesDoor, "own_features"),
    door("plans", PlansDoor, "plans"),
    re_path(r"^plans/(?P<code>[a-z0-9-]{1,60})/?$", PlanDoor.as_view(), name="api_plan"),
    door("renewals", RenewalsDoor, "renewals"),
    door("renewals/unpaid", UnpaidDoor, "unpaid_renewals"),
    door("numbers", NumbersDoor, "numbers"),
    door("numbers/areas", AreasDoor, "number_areas"),
    door("numbers/reserve", ReserveDoor, "reserve_numbers"),
]
