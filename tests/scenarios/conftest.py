"""Stories are told through the doors alone."""

from tests.api.conftest import api

__all__ = ["api"]
