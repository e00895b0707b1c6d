"""For machines that watch the installation. Its one rule: no session, no company, no secrets."""

import hmac
import ipaddress
import logging

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

logger = logging.getLogger(__name__)

REDIS_SECONDS = 2.0


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while database and Redis answer, else 503; says which of them does not."""
    checks = {"database": _database_answers(), "redis": _redis_answers()}
    words = {name: "ok" if answers else "down" for name, answers in checks.items()}
    healthy = all(checks.values())
    response = JsonResponse(
        {"status": "ok" if healthy else "down", **words}, status=200 if healthy else 503
    )
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text for the machine itself, or for whoever bears ``METRICS_TOKEN``."""
    if not (_bears_token(request) or _is_this_machine(request)):
        return HttpResponseForbidden("metrics: loopback or METRICS_TOKEN only\n")
    response: HttpResponse = ExportToDjangoView(request)
    return response


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())
    except Error:
        logger.warning("healthz: the database does not answer", exc_info=True)
        return False


def _redis_answers() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
    )
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        logger.warning("healthz: Redis does not answer", exc_info=True)
        return False
    finally:
        client.close()


def _bears_token(request: HttpRequest) -> bool:
    expected: str = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return bool(expected) and hmac.compare_digest(given.encode(), f"Bearer {expected}".encode())


def _is_this_machine(request: HttpRequest) -> bool:
    # A proxy on this machine brings strangers: what it forwards is never taken for the machine's.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
