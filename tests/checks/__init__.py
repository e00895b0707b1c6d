"""Checks of the code that run without a server: `make check`."""
