"""The API's view of how much."""
