"""How often a token may call. Its one rule: without the cache everything is let through."""

import logging
import time
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from members.models import ApiToken

logger = logging.getLogger(__name__)


class TokenThrottle(SimpleRateThrottle):
    """So many requests a minute for each token (the setting is ``API_RATE``): one atomic counter a
    token and window.
    """

    scope = "token"
    num_requests: int | None
    duration: int | None
    seconds_left: float | None = None

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """One counter a token; none for the open pages."""
        token = request.auth
        return f"throttle:token:{token.pk}" if isinstance(token, ApiToken) else None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the token is below its rate, or nobody can tell."""
        key = self.get_cache_key(request, view)
        if key is None or not self.num_requests or not self.duration:
            return True
        window, spent = divmod(time.time(), self.duration)
        key = f"{key}:{int(window)}"
        try:
            cache.add(key, 0, timeout=2 * self.duration)
            count = int(cache.incr(key))
        except (RedisError, OSError, ValueError) as error:
            logger.warning("cache unreachable, request let through: %s", error)
            return True
        self.seconds_left = self.duration - spent
        return count <= self.num_requests

    def wait(self) -> float | None:
        """Seconds until the next window."""
        return self.seconds_left
