"""``create_company``: a company with its administrator and a token, from the command line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from members.actors import Actor
from members.addresses import find_user_by_email, hold_name, normal_email, prove_email
from members.companies import create_company
from members.countries import COUNTRIES
from members.models import ApiToken, Company, Member, User
from members.tokens import issue_token
from skypemgr.lib.errors import ProductError


class Command(BaseCommand):
    """Makes a company; the e-mail address counts as proven."""

    help = "Make a company with its administrator and a token of all scopes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--country", required=True, help="two letters, ISO 3166")
        parser.add_argument("--currency", help="three letters, ISO 4217; default: the country's")
        parser.add_argument("--time-zone", help="such as Europe/Paris; default: the country's")
        parser.add_argument("--language", default="", choices=["", *dict(settings.LANGUAGES)])
        parser.add_argument("--admin-email", required=True)
        parser.add_argument("--admin-name", default="")
        parser.add_argument("--password", required=True)
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """The company exists; prints what was made, the token for the only time."""
        try:
            with transaction.atomic():
                company, member, token = _create(options)
        except ProductError as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if options["json"]:
            made = {
                "company": {"id": company.pk},
                "administrator": {"id": member.pk},
                "token": token,
            }
            self.stdout.write(json.dumps(made))
        else:
            self.stdout.write(f"company {company.pk}, administrator {member.pk}\ntoken {token}")


def _create(options: dict[str, Any]) -> tuple[Company, Member, str]:
    country = COUNTRIES.get(options["country"].upper())
    user = _make_administrator(options)
    company, member = create_company(
        name=options["name"],
        country=options["country"].upper(),
        currency=(options["currency"] or (country.currency if country else "")).upper(),
        time_zone=options["time_zone"] or (country.time_zone if country else ""),
        language=options["language"] or ("fr" if options["country"].upper() == "FR" else "en"),
        user=user,
    )
    _token, secret = issue_token(
        actor=Actor.of_member(member), name="create_company", scopes=ApiToken.Scope.values
    )
    return company, member, secret


def _make_administrator(options: dict[str, Any]) -> User:
    email = normal_email(options["admin_email"])
    hold_name("email", email)
    if find_user_by_email(email):
        raise CommandError(f"{email} already has an account.")
    user = User(email=email, name=options["admin_name"])
    validate_password(options["password"], user)
    user = User.objects.create_user(None, email, options["password"], name=options["admin_name"])
    prove_email(user, email)
    return user
