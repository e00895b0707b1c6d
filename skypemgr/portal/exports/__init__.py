"""Files of reports, and of all that a company has: asked for, written by a worker, kept a while."""
