"""The labels that the stories click. Its one rule: where the product's French was given, it stands
here letter for letter; every other sentence is asked of the catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils import translation
from django.utils.translation import gettext

from skypemgr.lib.formats import format_money

FRENCH: Mapping[str, str] = {
    "Sign in or create an account": "Se connecter ou créer un compte",
    "Dashboard": "Tableau de bord",
    "Members": "Membres",
    "Details": "Détails",
    "Invite members": "Inviter des membres",
    "Next": "Suivant",
    "Create a list": "Créer une liste",
    "Create": "Créer",
    "Send invites": "Envoyer des invitations",
    "Buy credit": "Acheter du crédit",
    "Continue": "Continuer",
    "Pay now": "Payer maintenant",
    "Manage credit": "Gérer le crédit",
    "Add credit": "Ajouter du crédit",
    "Manage auto-recharge": "Gérer la recharge automatique",
    "Recharge member's account with": "Recharger le compte de ce membre de",
    "when balance falls below": "lorsque son solde est inférieur à",
    "Monthly recharge limit": "Limite de recharge mensuelle",
    "Save and activate": "Enregistrer et activer",
}


@dataclass(frozen=True)
class Words:
    """What a reader of the language reads."""

    language: str

    def __call__(self, english: str) -> str:
        """The label in the reader's language."""
        if self.language == "fr" and english in FRENCH:
            return FRENCH[english]
        with translation.override(self.language):
            return gettext(english)

    def money(self, amount: str | Decimal) -> str:
        """The amount in euros as the reader reads it."""
        return format_money(Decimal(amount), "EUR", self.language)

    def typed(self, amount: str) -> str:
        """The amount as the reader types it."""
        return amount.replace(".", ",") if self.language == "fr" else amount
