"""Writes the pages that are made from the table of settings: ``python docs/settings.py``."""

from __future__ import annotations

from pathlib import Path

from actorq.settings import pages

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Write the reference page and the example file."""
    made = {
        ROOT / "docs" / "reference" / "settings.md": pages.markdown(),
        ROOT / "config" / "actorq.toml": pages.example_toml(),
    }
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
