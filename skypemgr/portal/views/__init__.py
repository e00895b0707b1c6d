"""Pages that show several apps, by topic. Its one rule: a view reads through ``portal.queries``."""
