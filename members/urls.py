"""Addresses of the pages about people."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
