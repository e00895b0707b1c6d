"""What the OpenAPI description says about tokens and refusals. Its one rule: it only describes."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    inline_serializer,
)
from rest_framework import serializers

from members.api.permissions import needed_scope, permitted_roles

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="New for each wish; the same when it is repeated. 1 to 100 ASCII characters.",
)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The bearer token."""

    target_class = "members.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The security scheme."""
        return {"type": "http", "scheme": "bearer"}


class ProblemEntry(serializers.Serializer[Any]):
    """One field and what is wrong with it."""

    field = serializers.CharField(help_text="Such as amount, or calls.0.source.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """A refusal (RFC 9457). ``code`` is stable; ``detail`` is in the caller's language."""

    type = serializers.CharField(default="about:blank")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = ProblemEntry(many=True, required=False)  # type: ignore[assignment]


def page_of(row: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """A page of such rows, for the description."""
    return inline_serializer(
        f"PageOf{row.__name__}",
        {
            "results": row(many=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
        },
    )


def refusal(status: int, *codes: str) -> OpenApiResponse:
    """The answer with this status and one of these codes, for the description."""
    examples = [
        OpenApiExample(
            code,
            value={
                "type": "about:blank",
                "title": TITLES[status],
                "status": status,
                "code": code,
                "detail": "…",
            },
            response_only=True,
            status_codes=[str(status)],
        )
        for code in codes
    ]
    described = ", ".join(f"`{code}`" for code in codes)
    return OpenApiResponse(Problem, description=described, examples=examples)


TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    413: "Content Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}


class DoorSchema(AutoSchema):
    """Adds to each operation what every door has: who may, and the usual refusals."""

    def get_description(self) -> str:  # type: ignore[override]
        """The stated description, then scope and roles."""
        stated = super().get_description() or ""
        scope = needed_scope(self.view, self.method)
        roles = permitted_roles(self.view, self.method)
        who = ", ".join(role or "company token" for role in roles)
        return f"{stated}\n\nScope `{scope}`; roles: {who}.".strip()

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._resolve_path_parameters(  # type: ignore[no-untyped-call]
            variables
        )
        for parameter in parameters:
            if parameter["name"].endswith("_id"):
                parameter["schema"] = {"type": "integer", "minimum": 1}
        return parameters

    def _get_response_bodies(
        self, direction: Literal["request", "response"] = "response"
    ) -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, codes in self._usual_refusals():
            if str(status) not in bodies:
                described = refusal(status, *codes)
                bodies[str(status)] = self._get_response_for_code(described, str(status))
        return dict(sorted(bodies.items()))

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: list[str] | None = None,
        direction: str = "response",
    ) -> dict[str, Any]:
        if isinstance(serializer, OpenApiResponse) and serializer.response is Problem:
            media_types = ["application/problem+json"]
        answer: dict[str, Any] = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, media_types, direction
        )
        return answer

    def _usual_refusals(self) -> list[tuple[int, tuple[str, ...]]]:
        usual: list[tuple[int, tuple[str, ...]]] = [
            (401, ("not_authenticated", "invalid_token")),
            (403, ("scope_missing", "not_allowed")),
            (429, ("throttled",)),
        ]
        if self.method in ("POST", "PUT", "PATCH"):
            usual += [(400, ("malformed_json",)), (422, ("invalid", "unknown_field"))]
        if "{" in self.path:
            usual.append((404, ("not_found",)))
        return usual


def without_slash(endpoints: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The addresses as they are documented: the slash at the end is accepted, not needed."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]
