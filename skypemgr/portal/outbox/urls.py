"""Addresses of the development outbox."""

from django.urls import path

from skypemgr.portal.outbox import views

urlpatterns = [
    path("", views.show_outbox, name="outbox"),
    path("<str:message_id>/", views.show_letter, name="outbox_letter"),
]
