"""What every endpoint shares: strict bodies, exact amounts, refusals.

Its one rule: whatever a client sends, the answer is JSON with a status below 500 and, when it is a
refusal, ``application/problem+json`` with a stable ``code``.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import IO, Any, ClassVar, NoReturn, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as FormError
from django.http import Http404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from skypemgr.lib.amounts import parse_exact_amount
from skypemgr.lib.errors import ProductError

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_ID = 2**63 - 1
CODES: dict[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "invalid_token",
    exceptions.PermissionDenied: "not_allowed",
    exceptions.NotFound: "not_found",
    exceptions.ParseError: "malformed_json",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.Throttled: "throttled",
}


class BodyTooBig(exceptions.APIException):
    """The body is longer than is ever needed."""

    status_code = 413
    default_code = "body_too_big"
    default_detail = _("The body is too big. Send it in several requests.")


class BadRequest(ProductError):
    """The request itself is wrong, whatever its body says."""

    code = "bad_request"
    status = 400


# --- what comes in --------------------------------------------------------------------------------


class ExactJSONParser(JSONParser):
    """Reads JSON without losing a digit: numbers with a point become Decimal, never float."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The parsed body; ParseError for what is not UTF-8 JSON, BodyTooBig above 8 MiB."""
        try:
            raw = stream.read(MAX_BODY_BYTES + 1)
        except RequestDataTooBig as error:
            raise BodyTooBig from error
        except OSError as error:
            raise exceptions.ParseError(gettext("The body could not be read.")) from error
        if len(raw) > MAX_BODY_BYTES:
            raise BodyTooBig
        try:
            text = raw.decode("utf-8-sig")
            body = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise exceptions.ParseError(gettext("The body is not valid JSON.")) from error
        if "\\u" in text and any(_has_surrogate(string) for string in _strings(body)):
            raise exceptions.ParseError(gettext("The body has text that is not valid Unicode."))
        return body


class FileParser(MultiPartParser):
    """Reads a form with a file; one far above what is ever read is not even received."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The form's fields and files; ParseError for what is no form, BodyTooBig."""
        request = (parser_context or {})["request"]
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        if not length.isdigit() or int(length) > 4 * settings.MAX_UPLOAD_BYTES:
            raise BodyTooBig(
                gettext("The file is bigger than %(size)s MB. Split it.")
                % {"size": settings.MAX_UPLOAD_BYTES // (1024 * 1024)},
                code="file_too_big",
            )
        try:
            return super().parse(stream, media_type, parser_context)
        except exceptions.ParseError as error:
            raise exceptions.ParseError(
                gettext("The form could not be read."), code="malformed_form"
            ) from error
        except SuspiciousOperation as error:
            raise BodyTooBig from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _strings(body: Any) -> Iterator[str]:
    """Every string of the body, however deep (without recursion)."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


class AlwaysJSON(BaseContentNegotiation):
    """Answers in the view's first form, whatever ``Accept`` or ``format`` ask for."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """The parser for the body's content type; a body without one is taken for JSON."""
        content_type = (request.content_type or "").split(";")[0].strip().lower()
        if content_type in ("", "application/json") or content_type.endswith("+json"):
            return next(iter(parsers))
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The view's first renderer."""
        first = next(iter(renderers))
        return first, first.media_type or "application/json"


class StrictSerializer(serializers.Serializer[Any]):
    """A body of which every field is known."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "unknown_field": _("There is no such field."),
    }

    def to_internal_value(self, data: Any) -> Any:
        """The checked body; a field that is not declared is refused with ``unknown_field``."""
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                error = exceptions.ErrorDetail(
                    str(self.error_messages["unknown_field"]), code="unknown_field"
                )
                raise serializers.ValidationError({name[:60]: [error] for name in unknown[:20]})
        return super().to_internal_value(data)


class IdField(serializers.IntegerField):
    """The id of something: a whole number that the database can hold."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)

    def to_internal_value(self, data: Any) -> int:
        """The id; only a JSON integer or a string of digits is one."""
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("invalid")
        return int(super().to_internal_value(cast(Any, data)))


@extend_schema_field({"type": "string", "pattern": r"^\d{1,14}(\.\d{1,4})?$", "example": "25.0000"})
class AmountSerializerField(serializers.Field[Decimal, Any, str, Any]):
    """An amount of credit: a string (or JSON number) with a point and at most 4 decimals, above 0;
    answered as a string with 4 decimals.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_amount": _("Write an amount such as 25.00 (a point, at most 4 decimals)."),
    }

    def __init__(self, *, places: int = 4, **options: Any) -> None:
        self.places = places
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Decimal:
        """The exact amount; everything else is refused with ``invalid_amount``."""
        try:
            return parse_exact_amount(self._as_text(data))
        except FormError as error:
            raise self._refusal(" ".join(error.messages)) from error

    def to_representation(self, value: Decimal) -> str:
        """The amount with a fixed number of decimals."""
        return f"{value:.{self.places}f}"

    def _as_text(self, data: Any) -> str:
        if isinstance(data, Decimal) and data.is_finite() and abs(data.adjusted()) < 30:
            return f"{data:f}"[:60]
        if isinstance(data, int) and not isinstance(data, bool):
            return str(data)
        if isinstance(data, str) and len(data) <= 60:
            return data
        raise self._refusal(str(self.error_messages["invalid_amount"]))

    def _refusal(self, sentence: str) -> serializers.ValidationError:
        return serializers.ValidationError(sentence, code="invalid_amount")


def require_idempotency_key(request: Request) -> str:
    """The header ``Idempotency-Key``: 1 to 100 printable ASCII characters; BadRequest without."""
    key = str(request.headers.get("Idempotency-Key", "")).strip()
    if not key:
        raise BadRequest(
            _("Send the header Idempotency-Key: new for each wish, the same when repeated."),
            code="idempotency_key_required",
        )
    if len(key) > 100 or not (key.isascii() and key.isprintable()):
        raise BadRequest(
            _("The header Idempotency-Key takes 1 to 100 printable ASCII characters."),
            code="invalid_idempotency_key",
        )
    return key


def require_text(request: Request, name: str, *, max_length: int = 100) -> str:
    """A query parameter, stripped, empty if absent; BadRequest if too long or with a NUL."""
    text = request.query_params.get(name, "").strip()
    if len(text) > max_length or "\x00" in text:
        raise BadRequest(_("This query parameter is not valid."), code="invalid", field=name)
    return text


# --- refusals -------------------------------------------------------------------------------------


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The refusal as problem+json; None for an error of ours, which then is a 500."""
    if isinstance(error, ProductError):
        return _of_product(error)
    if isinstance(error, exceptions.ValidationError):
        return _of_validation(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooBig()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    return _of_api(error)


def _of_product(error: ProductError) -> Response:
    # An address answers the same whatever it names; verbs say more for their own pages.
    code = "not_found" if error.status == HTTPStatus.NOT_FOUND else error.code
    entries = [{"field": error.field, "code": code, "detail": str(error)}]
    return _answer(
        error.status,
        code,
        str(error),
        errors=entries if error.field else None,
        details={name: _plain(value) for name, value in error.details.items()},
    )


def _of_validation(error: exceptions.ValidationError) -> Response:
    entries = list(_flatten(error.detail)) or [{"field": "", "code": "invalid", "detail": ""}]
    first = entries[0]
    detail = f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]
    return _answer(422, first["code"], detail, errors=entries)


def _of_api(error: exceptions.APIException) -> Response:
    codes = error.get_codes()
    stated = codes if isinstance(codes, str) and codes != error.default_code else ""
    code = stated or CODES.get(type(error), error.default_code)
    answer = _answer(error.status_code, code, str(error.detail))
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        answer["WWW-Authenticate"] = getattr(error, "auth_header", "Bearer")
    wait = getattr(error, "wait", None)
    if wait is not None:
        answer["Retry-After"] = str(math.ceil(wait))
    return answer


def _answer(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Response:
    body: dict[str, Any] = {
        **(details or {}),
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors is not None:
        body["errors"] = errors
    return Response(body, status=status, content_type="application/problem+json")


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | list | dict | None) else str(value)


def _flatten(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """One entry a field, in the order of the fields; nested ones as ``calls.0.source``."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _flatten(inner, f"{path}.{index}" if nested and path else path)
    else:
        code = getattr(detail, "code", "") or "invalid"
        yield {"field": path, "code": str(code), "detail": str(detail)}
