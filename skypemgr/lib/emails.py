"""Mails written from templates.

Its one rule: a mail is in the reader's language, as text and HTML.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation


def render_mail(
    template: str, *, language: str, context: Mapping[str, Any]
) -> tuple[str, str, str]:
    """Subject, text and HTML of ``emails/<template>.subject.txt``, ``.txt`` and ``.html``."""
    values = {"site_url": settings.SITE_URL, "language": language, **context}
    with translation.override(language):
        subject = render_to_string(f"emails/{template}.subject.txt", values)
        text = render_to_string(f"emails/{template}.txt", values)
        html = render_to_string(f"emails/{template}.html", values)
    return " ".join(subject.split()), text.strip() + "\n", html.strip() + "\n"


def send_templated(template: str, *, to: str, language: str, context: Mapping[str, Any]) -> None:
    """The mail is handed to the mail server; raises what the server raises."""
    subject, text, html = render_mail(template, language=language, context=context)
    mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [to])
    mail.attach_alternative(html, "text/html")
    mail.send()
