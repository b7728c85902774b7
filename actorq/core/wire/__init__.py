"""The wire: JSON in and out. The only place that knows the names which JSON uses."""
