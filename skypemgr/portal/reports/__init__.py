"""The reports: what moved in a span of days, one module each. See ``catalogue`` for all of them."""
