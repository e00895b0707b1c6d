"""How the payment server says no. Its one rule: the words and codes are those of the real one."""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """An answer that is not 2xx. ``keeps``: what was done before it stays done."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        keeps: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.keeps = status, keeps
        # What fails the check of its parameters is not remembered under the idempotency key.
        self.is_remembered = keeps
        error: Json = {"type": kind, "message": message, **more}
        if code:
            error["code"] = code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param:
            error["param"] = param
        self.body: Json = {"error": error}


def missing(kind: str, pk: str, param: str) -> ApiError:
    """There is no such object."""
    status = 404 if param == "id" else 400
    return ApiError(f"No such {kind}: '{pk}'", status=status, code="resource_missing", param=param)
