"""Codes that a user brings: files, rows matched by id, measured into one table."""
