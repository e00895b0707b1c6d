"""How allauth sees our logins. Its one rule: a number belongs to whoever has proven it."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Signing up and signing in."""
