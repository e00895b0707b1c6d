"""Jobs that look at many: one that fails is logged, and the end of the job's time goes through."""

import logging

import pytest
from billiard.exceptions import SoftTimeLimitExceeded

from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)


def _look_at(number: int, error: BaseException | None) -> int:
    with OneOfMany(logger, "%s could not be looked at", number):
        if error:
            raise error
        return number
    return 0


def test_one_that_fails_is_logged_in_full(caplog: pytest.LogCaptureFixture) -> None:
    failing = [None, ValueError("odd"), None]
    assert [_look_at(number, error) for number, error in enumerate(failing, 1)] == [1, 0, 3]
    (record,) = caplog.records
    assert record.getMessage() == "2 could not be looked at"
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert record.exc_info[1] is failing[1]


@pytest.mark.parametrize("end", [SoftTimeLimitExceeded(), KeyboardInterrupt(), SystemExit()])
def test_the_end_goes_through(end: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(type(end)):
        _look_at(1, end)
    assert caplog.records == []
