"""The operator's desk for people. Its one rule: states change through verbs, the rest is read."""

from typing import Any, cast

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.details import refresh_search
from members.models import AuditEntry, Company, Invitation, Member, MemberList, Notice, User
from members.standing import freeze_company, unfreeze_company
from skypemgr.lib.errors import ProductError

# allauth's own sign-in, with its rate limits, in place of the admin's.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = "Skype Manager"
admin.site.site_title = "Skype Manager"


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows and changes none."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Logins. Deleting is refused: rows of the ledger and the audit refer to them."""

    list_display = ("username", "email", "phone", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("username", "email", "phone", "name")
    ordering = ("pk",)
    readonly_fields = ("email", "phone", "phone_verified", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "email", "phone", "phone_verified")}),
        (_("Person"), {"fields": ("name", "language", "time_zone")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """The login is saved; look-ups know its new user name."""
        super().save_model(request, obj, form, change)
        refresh_search(obj)


@admin.register(Company)
class CompanyAdmin(ReadOnlyAdmin):
    """Companies, which the operator freezes and unfreezes; billing adds closing."""

    list_display = ("id", "name", "country", "currency", "time_zone", "state", "created_at")
    list_filter = ("state", "country", "currency")
    search_fields = ("name",)
    actions: tuple[str, ...] = ("freeze", "unfreeze")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether the operator may change a company's state."""
        return request.user.has_perm("members.change_company")

    @admin.action(description=_("Freeze: nothing moves but calls"), permissions=["operate"])
    def freeze(self, request: HttpRequest, queryset: QuerySet[Company]) -> None:
        """The chosen companies are frozen."""
        self.run_verb(request, queryset, freeze_company)

    @admin.action(description=_("Unfreeze"), permissions=["operate"])
    def unfreeze(self, request: HttpRequest, queryset: QuerySet[Company]) -> None:
        """The chosen companies are active again."""
        self.run_verb(request, queryset, unfreeze_company)

    def run_verb(self, request: HttpRequest, queryset: QuerySet[Company], verb: Any) -> None:
        """The verb was tried on each of the companies, and its answers are shown."""
        user = cast("User", request.user)
        for company in queryset:
            try:
                verb(actor=Actor.of_operator(user, company))
            except ProductError as error:
                self.message_user(request, f"{company}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{company}: {_('Done')}", messages.SUCCESS)


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """People's places in companies."""

    list_display = ("id", "name", "company", "role", "status", "list", "joined_at")
    list_filter = ("status", "role")
    list_select_related = ("company", "list")
    search_fields = ("search_text",)


@admin.register(MemberList)
class MemberListAdmin(ReadOnlyAdmin):
    """Lists of members."""

    list_display = ("id", "name", "company", "created_at", "archived_at")
    list_select_related = ("company",)
    search_fields = ("name_key",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Invitations; the hash of the link's secret is of use to nobody."""

    list_display = ("id", "company", "way", "address", "status", "sent_at", "expires_at")
    list_filter = ("status", "way")
    list_select_related = ("company",)
    search_fields = ("address",)
    exclude = ("token_hash",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who decided what."""

    list_display = ("id", "created_at", "company", "member", "user", "verb", "subject")
    list_select_related = ("company", "member", "user")
    list_filter = ("verb",)
    show_full_result_count = False


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What people were told."""

    list_display = ("id", "created_at", "company", "member", "kind", "mailed_at", "read_at")
    list_select_related = ("company", "member")
    list_filter = ("kind",)
    show_full_result_count = False
