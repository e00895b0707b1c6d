"""Jobs that look at many things, one after the other. Its one rule: one that cannot be dealt with
must not keep the others waiting; only the end of the job's time goes through.
"""

from logging import Logger
from types import TracebackType

from billiard.exceptions import SoftTimeLimitExceeded


class OneOfMany:
    """What fails within is logged in full under the message, and the job goes on after it:
    ``with OneOfMany(logger, "company %s could not be looked at", pk):``.
    """

    def __init__(self, logger: Logger, message: str, *about: object) -> None:
        self._logger, self._message, self._about = logger, message, about

    def __enter__(self) -> None:
        """Nothing is held."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        """Whether the job goes on."""
        goes_on = isinstance(error, Exception) and not isinstance(error, SoftTimeLimitExceeded)
        if goes_on:
            self._logger.error(self._message, *self._about, exc_info=error)
        return goes_on
