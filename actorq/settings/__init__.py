"""Settings: one typed place, and the only reader of environment, TOML files and arguments."""

from actorq.settings.sources import add_flags, flags_of, load, wants_color
from actorq.settings.table import SETTINGS, Settings

__all__ = ["SETTINGS", "Settings", "add_flags", "flags_of", "load", "wants_color"]
