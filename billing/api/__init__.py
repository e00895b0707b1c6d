"""The API's view of purchases."""
