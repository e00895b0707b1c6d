"""The API's addresses about who."""

from django.urls.resolvers import URLPattern

from members.api.base import door
from members.api.imports import ImportDoor, ImportRowsDoor, ImportsDoor, ImportStartDoor
from members.api.invitations import (
    InvitationDoor,
    InvitationsDoor,
    LinkDoor,
    ResendDoor,
    ResendManyDoor,
    RevokeManyDoor,
)
from members.api.lists import ListDoor, ListsDoor, MoveDoor
from members.api.notices import (
    OwnNoticeChoicesDoor,
    OwnNoticesDoor,
    OwnNoticesReadDoor,
)
from members.api.sessions import OwnSessionDoor, OwnSessionsDoor
from members.api.tokens import CompanyTokenDoor, CompanyTokensDoor, OwnTokenDoor, OwnTokensDoor

urlpatterns: list[URLPattern] = [
    door("lists", ListsDoor, "lists"),
    door("lists/<list_id>", ListDoor, "list"),
    door("members/import", ImportsDoor, "imports"),
    door("members/import/<import_id>", ImportDoor, "import"),
    door("members/import/<import_id>/start", ImportStartDoor, "import_start"),
    door("members/import/<import_id>/rows", ImportRowsDoor, "import_rows"),
    door("members/move", MoveDoor, "members_move"),
    door("invitations", InvitationsDoor, "invitations"),
    door("invitations/<invitation_id>", InvitationDoor, "invitation"),
    door("invitations/<invitation_id>/resend", ResendDoor, "invitation_resend"),
    door("invitations/<invitation_id>/link", LinkDoor, "invitation_link"),
    door("invitations/resend", ResendManyDoor, "invitations_resend"),
    door("invitations/revoke", RevokeManyDoor, "invitations_revoke"),
    door("me/notices", OwnNoticeChoicesDoor, "own_notice_choices"),
    door("me/notices/list", OwnNoticesDoor, "own_notices"),
    door("me/notices/read", OwnNoticesReadDoor, "own_notices_read"),
    door("me/sessions", OwnSessionsDoor, "own_sessions"),
    door("me/sessions/<session_id>", OwnSessionDoor, "own_session"),
    door("me/tokens", OwnTokensDoor, "own_tokens"),
    door("me/tokens/<token_id>", OwnTokenDoor, "own_token"),
    door("company/tokens", CompanyTokensDoor, "company_tokens"),
    door("company/tokens/<token_id>", CompanyTokenDoor, "company_token"),
]
