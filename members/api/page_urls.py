"""Addresses of the token pages."""

from django.urls import path
from django.urls.resolvers import URLPattern

from members.api.token_pages import drop_token, show_tokens

urlpatterns: list[URLPattern] = [
    path("settings/tokens/", show_tokens, name="tokens"),
    path("settings/tokens/<int:pk>/revoke/", drop_token, name="token_revoke"),
]
