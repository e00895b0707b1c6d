"""Features: what is given to members, for how long, and what it costs the company."""
