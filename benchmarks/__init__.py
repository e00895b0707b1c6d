"""How fast credit moves, as figures and ratios of one run on one server. Never a test."""
