"""Helpers that know no model; every app may import them, they import no app."""
