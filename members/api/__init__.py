"""The API's view of who."""
