"""``members/import``: many accounts at once. Its one rule: the rows go the way of an uploaded file,
and are answered row by row.
"""

from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import ADMINISTRATORS
from members.api.schema import page_of, refusal
from members.errors import InvalidField
from members.import_columns import TEMPLATE
from members.import_verdicts import RowCode
from members.importing import (
    check_rows,
    find_import,
    import_rows,
    read_progress,
    start_import,
    store_rows,
)
from members.models import ImportJob
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import ExactJSONParser, FileParser, StrictSerializer, require_text

MAX_ROWS = 5_000
MAX_CELL = 1_000
GOOD = (RowCode.OK, RowCode.IMPORTED)


class ImportPerson(StrictSerializer):
    """A row; ``list`` is a list's name, created if there is none. Wrong texts get a verdict."""

    email = serializers.CharField(max_length=MAX_CELL, allow_blank=True)
    name = serializers.CharField(max_length=MAX_CELL, allow_blank=True)
    username = serializers.CharField(max_length=MAX_CELL, allow_blank=True, default="")
    phone = serializers.CharField(max_length=MAX_CELL, allow_blank=True, default="")
    list = serializers.CharField(max_length=MAX_CELL, allow_blank=True, default="")
    role = serializers.CharField(max_length=MAX_CELL, allow_blank=True, default="")
    job_title = serializers.CharField(max_length=MAX_CELL, allow_blank=True, default="")
    cost_centre = serializers.CharField(max_length=MAX_CELL, allow_blank=True, default="")


class ImportWish(StrictSerializer):
    """People to create. ``dry_run``: check only; ``start`` then imports."""

    members = serializers.ListField(child=ImportPerson(), min_length=1, max_length=MAX_ROWS)
    all_or_nothing = serializers.BooleanField(default=False)
    dry_run = serializers.BooleanField(default=False)


class FileWish(StrictSerializer):
    """A CSV or XLSX file. ``columns`` names the column of each field, as JSON; without it they are
    guessed from the first line.
    """

    file = serializers.FileField(
        error_messages={"empty": _("The file has no rows."), "required": _("Choose a file.")}
    )
    columns = serializers.JSONField(required=False, default=None)
    all_or_nothing = serializers.BooleanField(default=False)
    dry_run = serializers.BooleanField(default=False)

    def validate_columns(self, value: Any) -> Any:
        """An object of field and column name, or nothing."""
        if value is None:
            return None
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
            raise serializers.ValidationError(
                _('Write an object such as {"email": "Courriel", "name": "Nom"}.')
            )
        return value


class StartWish(StrictSerializer):
    """How a checked import is carried out."""

    all_or_nothing = serializers.BooleanField(default=False)


class ImportAnswer(serializers.Serializer[Any]):
    """An import; ``done`` counts the rows that the present step has behind it."""

    id = serializers.IntegerField()
    file_name = serializers.CharField()
    state = serializers.ChoiceField(choices=ImportJob.State.choices)
    rows = serializers.IntegerField(source="rows_count")
    done = serializers.SerializerMethodField()
    imported = serializers.IntegerField(source="imported_count")
    refused = serializers.IntegerField(source="refused_count")
    new_lists = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_done(self, job: ImportJob) -> int:
        """Rows behind the present step."""
        return read_progress(job)


class ImportRowAnswer(serializers.Serializer[Any]):
    """What becomes of a row; ``line`` counts from 1."""

    line = serializers.IntegerField()
    code = serializers.CharField(help_text="ok, imported, or why not; empty: not checked yet.")
    detail = serializers.SerializerMethodField()
    member = serializers.IntegerField(source="member_id", allow_null=True)

    def get_detail(self, row: Any) -> str:
        """The code in words."""
        return str(RowCode(row.code).label) if row.code else ""


class ImportsDoor(Door):
    """The company's imports."""

    parser_classes = (ExactJSONParser, FileParser)
    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}
    newest_first = True

    @extend_schema(
        operation_id="imports_list",
        responses=page_of(ImportAnswer),
        parameters=[*CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """All imports, newest first."""
        paginator = CursorPagination()
        found = ImportJob.objects.filter(company=request.actor.company)
        rows = paginator.paginate_queryset(found, request, self)
        return paginator.get_paginated_response(ImportAnswer(rows, many=True).data)

    @extend_schema(
        operation_id="members_import",
        request={"application/json": ImportWish, "multipart/form-data": FileWish},
        responses={
            202: ImportAnswer,
            413: refusal(413, "file_too_big"),
            422: refusal(
                422,
                "company_frozen",
                "company_closed",
                "invalid",
                "file_too_big",
                "macros",
                "too_many_rows",
                "no_rows",
                "unreadable_file",
            ),
        },
        examples=[
            OpenApiExample(
                "Two people",
                value={
                    "members": [
                        {"email": "bob@acme.example", "name": "Bob Martin", "list": "Sales"},
                        {"email": "zoe@acme.example", "name": "Zoé Petit"},
                    ],
                    "all_or_nothing": True,
                },
                request_only=True,
                media_type="application/json",
            )
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """Takes at most 5,000 people as JSON, or a file as the page does (20 MB, 200,000 rows); a
        job checks every row, then creates the accounts. Look at the answered import until it is
        ``done``, ``checked`` or ``stopped``.
        """
        if str(request.content_type).startswith("multipart/form-data"):
            return Response(ImportAnswer(_start_file(request)).data, status=202)
        body = ImportWish(data=request.data)
        body.is_valid(raise_exception=True)
        wish = body.validated_data
        rows = [
            (line, [person[field] for field in TEMPLATE])
            for line, person in enumerate(wish["members"], start=1)
        ]
        job = store_rows(actor=request.actor, file_name="API", header=TEMPLATE, rows=rows)
        job = check_rows(
            actor=request.actor,
            job_id=job.pk,
            mapping={field: index for index, field in enumerate(TEMPLATE)},
            starts_itself=not wish["dry_run"],
            all_or_nothing=wish["all_or_nothing"],
        )
        return Response(ImportAnswer(job).data, status=202)


def _start_file(request: ApiRequest) -> ImportJob:
    body = FileWish(data=request.data)
    body.is_valid(raise_exception=True)
    wish = body.validated_data
    file = wish["file"]
    # All or nothing: a file whose columns cannot be told leaves no import behind.
    with transaction.atomic():
        job = start_import(actor=request.actor, file=file.file, file_name=file.name)
        chosen = wish["columns"]
        mapping = job.mapping if chosen is None else _mapping(chosen, job.header)
        return check_rows(
            actor=request.actor,
            job_id=job.pk,
            mapping=mapping,
            starts_itself=not wish["dry_run"],
            all_or_nothing=wish["all_or_nothing"],
        )


def _mapping(chosen: dict[str, str], header: list[str]) -> dict[str, int]:
    missing = sorted(set(chosen.values()) - set(header))
    if missing:
        raise InvalidField(
            _("The file has no column %(name)s.") % {"name": missing[0]}, field="columns"
        )
    return {field: header.index(name) for field, name in chosen.items()}


class ImportDoor(Door):
    """One import."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}

    @extend_schema(operation_id="imports_get", responses=ImportAnswer)
    def get(self, request: ApiRequest, import_id: str) -> Response:
        """How far it is and how it went."""
        return Response(ImportAnswer(find_import(request.actor, int(import_id))).data)


class ImportStartDoor(Door):
    """Carries out a checked import."""

    @extend_schema(
        operation_id="imports_start",
        request=StartWish,
        responses={202: ImportAnswer, 409: refusal(409, "import_conflict", "rows_refused")},
    )
    def post(self, request: ApiRequest, import_id: str) -> Response:
        """Creates the accounts of the good rows; with ``all_or_nothing`` none if one is refused."""
        find_import(request.actor, int(import_id))
        body = StartWish(data=request.data)
        body.is_valid(raise_exception=True)
        job = import_rows(
            actor=request.actor,
            job_id=int(import_id),
            all_or_nothing=body.validated_data["all_or_nothing"],
        )
        return Response(ImportAnswer(job).data, status=202)


class ImportRowsDoor(Door):
    """The rows of an import."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}

    @extend_schema(
        operation_id="imports_rows",
        responses=page_of(ImportRowAnswer),
        parameters=[
            OpenApiParameter("refused", str, enum=["1"], description="Only refused rows."),
            *CursorPagination.parameters,
        ],
    )
    def get(self, request: ApiRequest, import_id: str) -> Response:
        """Each row's verdict, in the order of the rows; kept for 30 days."""
        job = find_import(request.actor, int(import_id))
        found = job.rows.all()
        if require_text(request, "refused") == "1":
            found = found.exclude(code__in=("", *GOOD))
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(found, request, self)
        return paginator.get_paginated_response(ImportRowAnswer(rows, many=True).data)
