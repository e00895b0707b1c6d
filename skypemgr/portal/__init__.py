"""Pages that show several apps: dashboard, employee page, reports. Writes no other app's tables."""
