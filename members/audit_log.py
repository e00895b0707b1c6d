"""The audit log as administrators read it. Its one rule: read by id downwards, so that each page
costs the same at any depth.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.audit_words import list_names, tell_data
from members.models import AuditEntry, Company, Member

PAGE_SIZE = 50
WORDS: dict[str, Promise] = {
    "accept_invitation": _("Accepted an invitation"),
    "accept_vat_number": _("Accepted the VAT number"),
    "allocate": _("Allocated credit"),
    "allow_feature": _("Chose which features a member may have"),
    "approve_request": _("Approved a request for credit"),
    "archive_list": _("Archived a list"),
    "cancel_feature": _("Cancelled a feature"),
    "cancel_features": _("Cancelled features"),
    "change_feature": _("Changed a feature"),
    "change_role": _("Changed a role"),
    "change_time_zone": _("Changed the time zone"),
    "close_company": _("Closed the company"),
    "create_company": _("Created the company"),
    "create_list": _("Created a list"),
    "create_member": _("Created an account"),
    "create_purchase": _("Bought credit"),
    "cancel_purchase": _("Called a purchase off"),
    "end_sessions": _("Signed out other browsers"),
    "end_purchase": _("Ended a purchase without credit"),
    "decline_request": _("Declined a request for credit"),
    "give_feature": _("Gave a feature"),
    "give_call_details_consent": _("Consented to call details"),
    "export_company": _("Downloaded everything of the company"),
    "import_members": _("Imported members"),
    "invite_members": _("Invited members"),
    "issue_token": _("Made an API token"),
    "leave_company": _("Left the company"),
    "make_link": _("Made a link to an invitation"),
    "move_members": _("Moved members to a list"),
    "mute_notices": _("Chose which notices come by mail"),
    "reallocate_number": _("Handed a number on"),
    "reactivate_member": _("Reactivated a member"),
    "reactivate_members": _("Reactivated members"),
    "refuse_vat_number": _("Refused the VAT number"),
    "remove_member": _("Removed a member"),
    "remove_members": _("Removed members"),
    "remove_payment_method": _("Removed a payment method"),
    "rename_list": _("Renamed a list"),
    "request_credit": _("Asked for credit"),
    "resend_invitations": _("Sent invitations again"),
    "resume_auto_purchase": _("Started the company's auto-recharge again"),
    "resume_purchases": _("Allowed purchases again"),
    "revoke_invitation": _("Revoked an invitation"),
    "revoke_invitations": _("Revoked invitations"),
    "revoke_token": _("Revoked an API token"),
    "save_auto_purchase": _("Set the company's auto-recharge"),
    "save_card": _("Saved a card"),
    "save_low_balance_alert": _("Set the low-balance alert"),
    "save_rules": _("Set auto-recharge"),
    "set_caller_id": _("Set a caller ID"),
    "set_forwarding": _("Set call forwarding"),
    "set_purchase_limit": _("Set the company's own purchase limit"),
    "set_voicemail": _("Set voicemail"),
    "stop_purchases": _("Stopped purchases"),
    "send_transfer_back": _("Had a bank transfer sent back"),
    "settle_transfer": _("Took a bank transfer as received"),
    "suspend_member": _("Suspended a member"),
    "suspend_members": _("Suspended members"),
    "switch_off_auto_purchase": _("Switched the company's auto-recharge off"),
    "switch_off_low_balance_alert": _("Switched the low-balance alert off"),
    "switch_off_call_details": _("Switched call details off"),
    "switch_off_rule": _("Switched auto-recharge off"),
    "switch_on_call_details": _("Switched call details on"),
    "update_company": _("Changed the company profile"),
    "update_member": _("Changed a member's details"),
    "update_profile": _("Changed the own profile"),
    "verify_company": _("Verified the company"),
    "withdraw_call_details_consent": _("Withdrew the consent to call details"),
    "withdraw_request": _("Withdrew a request for credit"),
    "withdraw_verification": _("Withdrew the verification"),
    "undo_cancel": _("Took a cancel back"),
}


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what to whom, and when. ``details`` are the entry's data in words."""

    id: int
    at: datetime
    who: str
    by_token: str
    what: str | Promise
    member_id: int | None
    whom: str
    details: str


def read_audit(
    company: Company, *, person_id: int | None = None, before: int | None = None
) -> tuple[list[AuditLine], int | None]:
    """A page of the log, newest first, and where the next one starts. Three queries."""
    entries = AuditEntry.objects.filter(company=company).select_related("member", "user", "token")
    if person_id is not None:
        entries = entries.filter(member_id=person_id)
    if before is not None:
        entries = entries.filter(pk__lt=before)
    rows = list(entries.order_by("-pk")[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    wanted = {pk for entry in shown if (pk := _subject_member(entry)) is not None}
    names = dict(Member.objects.filter(company=company, pk__in=wanted).values_list("pk", "name"))
    lists = list_names(company, shown)
    lines = [tell_entry(entry, names, company.currency, lists) for entry in shown]
    return lines, shown[-1].pk if len(rows) > PAGE_SIZE else None


def tell_entry(
    entry: AuditEntry, names: dict[int, str], currency: str, lists: dict[int, str]
) -> AuditLine:
    """The entry in words; ``names`` and ``lists`` have the members and lists it may speak of."""
    pk = _subject_member(entry)
    who = entry.member.name if entry.member else str(entry.user) if entry.user else ""
    return AuditLine(
        id=entry.pk,
        at=entry.created_at,
        who=who,
        by_token=entry.token.name if entry.token else "",
        what=WORDS.get(entry.verb, entry.verb.replace("_", " ").capitalize()),
        member_id=pk if pk in names else None,
        whom=names.get(pk, "") if pk is not None else "",
        details=tell_data(entry.data, currency=currency, lists=lists),
    )


def _subject_member(entry: AuditEntry) -> int | None:
    kind, _colon, number = entry.subject.partition(":")
    return int(number) if kind == "member" and number.isascii() and number.isdigit() else None
