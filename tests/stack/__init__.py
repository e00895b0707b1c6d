"""The servers as one command."""
