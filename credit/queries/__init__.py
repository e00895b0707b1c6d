"""What the pages of credit read. Nothing here writes."""
