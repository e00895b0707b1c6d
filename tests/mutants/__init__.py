"""Planted bugs, each of which at least one test must catch (``make mutants``)."""
