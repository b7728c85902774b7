"""The doors through which jobs come: embedded in this process, and HTTP."""
