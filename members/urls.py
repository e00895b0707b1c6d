"""Addresses of the pages about people."""

from django.urls import include, path

from members.views import (
    accounts,
    answers,
    audit,
    call_details,
    company,
    company_profile,
    details,
    imports,
    invitations,
    invite,
    lists,
    profile,
)

urlpatterns = [
    path("company/new/", company.name_company, name="company_new"),
    path("members/create/", details.create_account, name="member_create"),
    path("members/<int:pk>/", details.show_member, name="member"),
    path("members/lists/create/", lists.create_new_list, name="list_create"),
    path("members/lists/<int:pk>/rename/", lists.rename, name="list_rename"),
    path("members/lists/<int:pk>/archive/", lists.archive, name="list_archive"),
    path("members/import/", imports.upload_file, name="imports"),
    path("members/import/<int:pk>/", imports.show_import, name="import"),
    path("members/import/template/<slug:form>/", imports.download_template, name="import_template"),
    path(
        "members/import/<int:pk>/result/<slug:form>/",
        imports.download_result,
        name="import_result",
    ),
    path("members/move/", lists.move, name="members_move"),
    path("members/invite/", invite.choose_people, name="invite"),
    path("members/invite/check/", invite.check_people, name="invite_check"),
    path("members/invite/sent/", invite.show_sent, name="invite_sent"),
    path("members/invitations/", invitations.show_invitations, name="invitations"),
    path("members/invitations/<int:pk>/link/", invitations.show_link, name="invitation_link"),
    path(
        "members/invitations/<int:pk>/resend/",
        invitations.change_invitation,
        {"action": "resend"},
        name="invitation_resend",
    ),
    path(
        "members/invitations/<int:pk>/revoke/",
        invitations.change_invitation,
        {"action": "revoke"},
        name="invitation_revoke",
    ),
    path("profile/", profile.show_profile, name="profile"),
    path("profile/call-details/", call_details.answer_consent, name="call_details_consent"),
    path("settings/audit/", audit.show_audit, name="audit"),
    path("settings/company/", company_profile.set_company, name="company_profile"),
    path("settings/call-details/", call_details.set_call_details, name="call_details"),
    path("invitations/<str:token>/", answers.answer_invitation, name="invitation"),
    path("invitations/waiting/<int:pk>/", answers.answer_waiting, name="invitation_waiting"),
    path("welcome/<str:token>/", accounts.set_password, name="welcome"),
    path("accounts/activation/resend/", accounts.resend_link, name="account_resend_link"),
    path("", include("members.api.page_urls")),
]
