"""The tests: each folder is named after what it tests, or after what must be running."""
