"""How fast credit moves, as figures and ratios of one run on one server. Never part of the tests."""
