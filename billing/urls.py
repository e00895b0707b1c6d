"""The addresses of billing."""

from django.urls import include, path

from billing.views import (
    bulk_remove,
    buy,
    details,
    leaving,
    limits,
    purchases,
    sandbox,
    settings,
    webhooks,
)

urlpatterns = [
    path("buy/", buy.choose_method, name="buy"),
    path("buy/amount/", buy.choose_amount, name="buy_amount"),
    path("buy/again/", buy.buy_again, name="buy_again"),
    path("buy/details/", details.complete_details, name="buy_details"),
    path("buy/check/", buy.check, name="buy_check"),
    path("purchases/", purchases.show_purchases, name="purchases"),
    path("purchases/<int:pk>/", purchases.show_purchase, name="purchase"),
    path("purchases/<int:pk>/cancel/", purchases.cancel, name="purchase_cancel"),
    path("purchases/<int:pk>/return/", purchases.come_back, name="purchase_return"),
    path("purchases/<int:pk>/status/", purchases.poll_purchase, name="purchase_status"),
    path("purchases/<int:pk>/retry/", purchases.retry, name="purchase_retry"),
    path(
        "purchases/authenticate/<str:token>/", purchases.authenticate, name="purchase_authenticate"
    ),
    path("members/remove/", bulk_remove.remove_many, name="members_remove"),
    path("members/<int:pk>/remove/", leaving.remove, name="member_remove"),
    path("me/leave/", leaving.leave, name="leave"),
    path("settings/close/", leaving.close, name="company_close"),
    path("payments/<slug:gateway>/events/", webhooks.receive, name="gateway_events"),
    path("settings/payment/", settings.show_settings, name="payment_settings"),
    path("settings/payment/limits/", limits.show_limits, name="purchase_limits"),
    path("settings/payment/off/", settings.switch_off, name="auto_purchase_off"),
    path("settings/payment/resume/", settings.resume, name="auto_purchase_resume"),
    path("settings/payment/take-over/", settings.take_over, name="auto_purchase_take_over"),
    path("settings/payment/methods/order/", settings.order_methods, name="payment_methods_order"),
    path(
        "settings/payment/methods/<int:pk>/remove/", settings.remove, name="payment_method_remove"
    ),
    path(
        "sandbox/authenticate/<slug:reference>/", sandbox.authenticate, name="sandbox_authenticate"
    ),
    path("", include("billing.feature_urls")),
]
