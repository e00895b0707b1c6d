"""What the tests of bank transfers share: purchases that wait for one, and statements."""

import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from billing.bank_statements import ImportedStatement, import_statement
from billing.gateways.base import Way
from billing.means import NewMethod
from billing.models import BankStatementLine, Purchase
from billing.purchases import buy_credit
from credit.accounts import company_balance
from credit.models import Transfer
from members.actors import Actor
from members.models import Company, Member, User
from skypemgr.lib.periods import utc_now
from tests.billing.conftest import a_request

TRANSFER = NewMethod("transfer", Way.TRANSFER)


def give_address(company: Company) -> None:
    """The company can be invoiced."""
    Company.objects.filter(pk=company.pk).update(
        address_line_1="1 rue de la Paix", postcode="75002", city="Paris", siren="732829320"
    )
    company.refresh_from_db()


def buy_by_transfer(member: Member, amount: str = "100") -> Purchase:
    """A purchase that waits for its transfer; 100 of credit cost 120 with French VAT."""
    give_address(member.company)
    return buy_credit(
        actor=Actor.of_member(member),
        amount=Decimal(amount),
        method=TRANSFER,
        request=a_request(),
    )


def row(amount: object, label: str, day: date | None = None, currency: str = "EUR") -> str:
    """One row of a statement."""
    return f"{(day or utc_now().date()).isoformat()};{amount};{label};{currency}"


def statement(rows: Iterable[str], header: str = "date;amount;label;currency") -> io.BytesIO:
    """A statement as a bank writes it."""
    return io.BytesIO("\n".join((header, *rows)).encode())


def bring(*rows: str, user: User | None = None) -> ImportedStatement:
    """The rows were imported as one statement."""
    return import_statement(statement(rows), name="bank.csv", user=user)


def pay(purchase: Purchase, amount: object = None, currency: str = "EUR") -> str:
    """The row that pays the purchase, exactly unless told."""
    written = amount or f"{purchase.total:.2f}"
    return row(written, f"VIR SEPA ACME {purchase.payment_reference}", currency=currency)


def only_line() -> BankStatementLine:
    """The one line there is."""
    return BankStatementLine.objects.get()


def make_operator(name: str = "operator") -> User:
    """A superuser."""
    return User.objects.create_superuser(name, f"{name}@example.com", "x")


def assert_credited_once(purchase: Purchase) -> None:
    """The purchase is paid, and its net amount was credited once."""
    purchase.refresh_from_db()
    assert purchase.status == Purchase.Status.SUCCEEDED
    assert Transfer.objects.filter(key=f"purchase:{purchase.pk}").count() == 1
    assert company_balance(purchase.company) == purchase.amount


def assert_not_credited(purchase: Purchase) -> None:
    """The purchase still waits, and nothing was credited."""
    purchase.refresh_from_db()
    assert purchase.status == Purchase.Status.PENDING
    assert company_balance(purchase.company) == 0
