"""Auto-recharge rules in words. Its one rule: a rule is the same sentence on every page."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from credit.queries.rules import RulePreview
from credit.rules import RuleStatus
from skypemgr.lib.formats import format_date, format_money, format_number


def rule_sentence(
    amount: Decimal, threshold: Decimal, monthly_limit: Decimal, currency: str
) -> str:
    """ "Recharged with €10.00 when below €5.00, at most €40.00 a month": what three values mean."""
    return _("Recharged with %(amount)s when below %(threshold)s, at most %(limit)s a month") % {
        "amount": format_money(amount, currency),
        "threshold": format_money(threshold, currency),
        "limit": format_money(monthly_limit, currency),
    }


def left_sentence(status: RuleStatus, currency: str, today: date) -> str:
    """ "€20.00 left until 1 December"."""
    return _("%(left)s left until %(day)s") % {
        "left": format_money(status.left_this_month, currency),
        "day": format_date(status.resumes_on, today=today),
    }


def status_sentence(status: RuleStatus | None, currency: str, today: date) -> str:
    """The rule and how it stands, as one line for the head of a page."""
    if status is None:
        return _("No auto-recharge")
    rule = status.rule
    if status.state == "off":
        return _("Auto-recharge is switched off")
    terms = rule_sentence(rule.amount, rule.threshold, rule.monthly_limit, currency)
    if status.state == "suspended":
        more = _("suspended until %(day)s") % {"day": format_date(status.resumes_on, today=today)}
    elif status.state == "waiting":
        more = _("waiting: the company's credit is too low")
    else:
        more = left_sentence(status, currency, today)
    return _("%(rule)s; %(state)s") % {"rule": terms, "state": more}


def preview_sentences(
    preview: RulePreview, currency: str, *, suspended_until: date, today: date
) -> list[str]:
    """What saving would do now to one member, in numbers."""
    if preview.count == 0:
        return [_("The member is suspended: the rule starts when the member is active again.")]
    lines = []
    if preview.paid:
        lines.append(
            _(
                "Saving recharges this member now with %(amount)s: the member will have %(after)s,"
                " the company %(company)s. This cannot be taken back."
            )
            % {
                "amount": format_money(preview.paid, currency),
                "after": format_money(preview.balance_after, currency),
                "company": format_money(preview.company_after, currency),
            }
        )
    if preview.unpaid_count:
        lines.append(_low_credit_line(preview))
    elif preview.used_up_count:
        day = format_date(suspended_until, today=today)
        lines.append(
            _("This month's limit is already used: suspended until %(day)s.") % {"day": day}
        )
    elif not preview.paid:
        lines.append(
            _("Saving recharges nothing now: the balance of %(balance)s is not below the level.")
            % {"balance": format_money(preview.balance_after, currency)}
        )
    return lines


def preview_sentences_for_many(preview: RulePreview, currency: str) -> list[str]:
    """What saving would do now to all of them, in numbers."""
    if not preview.paid:
        lines = [_("Saving recharges nobody now.")]
    else:
        sentence = ngettext(
            "Saving recharges %(count)s member now with %(total)s; the company will have %(after)s."
            " This cannot be taken back.",
            "Saving recharges %(count)s members now with %(total)s in all; the company will have"
            " %(after)s. This cannot be taken back.",
            preview.recharged_count,
        )
        lines = [
            sentence
            % {
                "count": format_number(preview.recharged_count),
                "total": format_money(preview.paid, currency),
                "after": format_money(preview.company_after, currency),
            }
        ]
    if preview.unpaid_count:
        sentence = ngettext(
            "%(count)s member has to wait: the company's credit is too low.",
            "%(count)s members have to wait: the company's credit is too low.",
            preview.unpaid_count,
        )
        lines.append(sentence % {"count": format_number(preview.unpaid_count)})
    if preview.used_up_count:
        sentence = ngettext(
            "%(count)s member has already used this month's limit.",
            "%(count)s members have already used this month's limit.",
            preview.used_up_count,
        )
        lines.append(sentence % {"count": format_number(preview.used_up_count)})
    return lines


def _low_credit_line(preview: RulePreview) -> str:
    if preview.paid:
        return _("More is due, but the company's credit is too low: the rest waits for credit.")
    return _(
        "The company's credit is too low: the member waits and is recharged as soon as credit is"
        " bought."
    )
