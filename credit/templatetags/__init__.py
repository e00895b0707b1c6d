"""Template tags of credit, for the pages of every app."""
