"""``exports``: files of reports for programs. Its one rule: a token sees its own member's alone."""

from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import READERS
from members.api.schema import page_of, refusal
from skypemgr.lib.errors import ProductError
from skypemgr.lib.rest import IdField, StrictSerializer, require_text
from skypemgr.portal.downloads import download_written
from skypemgr.portal.exports.asking import (
    find_export,
    forget_export,
    own_exports,
    request_archive,
    request_export,
)
from skypemgr.portal.exports.work import read_progress
from skypemgr.portal.models import Export

PAGE_SIZE = 50
LONGEST_TEXT = 40
LANGUAGES = ("en", "fr")


class InvalidCursor(ProductError):
    """The cursor is not one that this list gave."""

    code = "invalid_cursor"
    status = 400


class ExportWish(StrictSerializer):
    """Reports of some days as one file; several come in a ZIP."""

    kind = serializers.ChoiceField(choices=Export.Kind.choices, default=Export.Kind.REPORTS)
    reports = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TEXT), default=list, max_length=20
    )
    format = serializers.CharField(max_length=10, default="csv")
    language = serializers.ChoiceField(choices=LANGUAGES, default="en")
    month = serializers.CharField(max_length=LONGEST_TEXT, default="", help_text="YYYY-MM.")
    year = serializers.CharField(max_length=LONGEST_TEXT, default="", help_text="YYYY.")
    to = serializers.CharField(max_length=LONGEST_TEXT, default="", help_text="YYYY-MM-DD.")
    by = serializers.CharField(max_length=LONGEST_TEXT, default="")
    list = IdField(required=False)
    member = IdField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """With ``from``, which no attribute can be called."""
        first = serializers.CharField(
            max_length=LONGEST_TEXT, default="", help_text="YYYY-MM-DD, together with `to`."
        )
        return {**super().get_fields(), "from": first}


class ExportAnswer(serializers.Serializer[Any]):
    """A file and how far it is."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Export.Kind.choices)
    reports = serializers.ListField(child=serializers.CharField())
    format = serializers.ChoiceField(choices=Export.Form.choices, source="form")
    language = serializers.CharField()
    state = serializers.ChoiceField(choices=Export.State.choices)
    code = serializers.CharField(source="failure", help_text="Why it failed; empty otherwise.")
    done = serializers.SerializerMethodField()
    total = serializers.IntegerField(source="total_count", help_text="Rows; of all: tables.")
    file_name = serializers.CharField()
    size_bytes = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()

    def get_done(self, export: Export) -> int:
        """How much is written."""
        return read_progress(export)


class ExportsDoor(Door):
    """The member's own files."""

    scopes: ClassVar[dict[str, str]] = {"POST": "read"}
    roles: ClassVar[dict[str, tuple[str, ...]]] = {"POST": READERS}

    @extend_schema(
        operation_id="exports_list",
        parameters=[OpenApiParameter("cursor", str, description="From `next`.")],
        responses=page_of(ExportAnswer),
    )
    def get(self, request: ApiRequest) -> Response:
        """The files that are kept, newest first."""
        cursor = require_text(request, "cursor", max_length=18)
        if cursor and not (cursor.isascii() and cursor.isdigit()):
            raise InvalidCursor(_("This cursor is not one of this list."), field="cursor")
        kept = own_exports(request.actor)
        found = list((kept.filter(pk__lt=int(cursor)) if cursor else kept)[: PAGE_SIZE + 1])
        page = found[:PAGE_SIZE]
        following = None
        if len(found) > PAGE_SIZE:
            following = request.build_absolute_uri(f"{request.path}?cursor={page[-1].pk}")
        rows = ExportAnswer(page, many=True).data
        return Response({"results": rows, "next": following, "previous": None})

    @extend_schema(
        operation_id="exports_create",
        request=ExportWish,
        responses={
            201: ExportAnswer,
            409: refusal(409, "too_many_exports"),
            422: refusal(422, "no_report_chosen"),
        },
    )
    def post(self, request: ApiRequest) -> Response:
        """Has a file written: a small one is ready at once. Asked for again while it is being
        written, the same one is answered.
        """
        wish = ExportWish(data=request.data)
        wish.is_valid(raise_exception=True)
        data = dict(wish.validated_data)
        kind, language = data.pop("kind"), data.pop("language")
        names, form = data.pop("reports"), data.pop("format")
        if kind == Export.Kind.ARCHIVE:
            made = request_archive(actor=request.actor, language=language)
        else:
            made = request_export(
                actor=request.actor,
                names=names,
                wanted={name: str(value) for name, value in data.items()},
                form=form,
                language=language,
            )
        return Response(ExportAnswer(made).data, status=201)


class ExportDoor(Door):
    """One of the member's own files."""

    scopes: ClassVar[dict[str, str]] = {"DELETE": "read"}
    roles: ClassVar[dict[str, tuple[str, ...]]] = {"DELETE": READERS}

    @extend_schema(operation_id="export_get", responses=ExportAnswer)
    def get(self, request: ApiRequest, export_id: str) -> Response:
        """How far it is."""
        return Response(ExportAnswer(find_export(request.actor, int(export_id))).data)

    @extend_schema(operation_id="export_delete", responses={204: None})
    def delete(self, request: ApiRequest, export_id: str) -> Response:
        """Deletes it, and stops whoever writes it."""
        forget_export(actor=request.actor, export_id=int(export_id))
        return Response(status=204)


class ExportFileDoor(Door):
    """The file of one of the member's own exports."""

    @extend_schema(
        operation_id="export_file",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: ApiRequest, export_id: str) -> HttpResponseBase:
        """The file; 404 until it is ready."""
        export = find_export(request.actor, int(export_id))
        return download_written(export)
