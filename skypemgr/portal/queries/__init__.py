"""What the portal's pages read. Its one rule: a fixed number of queries, whatever the company."""
