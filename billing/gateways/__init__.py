"""The gateways that take money, each behind the same small interface (``base.py``)."""
