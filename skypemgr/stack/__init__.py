"""The embedded stack: PostgreSQL, Valkey, web, worker and beat as children of one process."""
