"""The settings as pages: the reference in the docs and the example file, made from the table."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from actorq.settings.table import SETTINGS
from actorq.settings.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.settings.values import Setting

_WIDTH: Final = 98
_PAGE_HEAD: Final = """\
# Settings

<!-- Made from actorq/settings/table.py by docs/settings.py: change that, then run it. -->

Every setting has one name in three spellings: `SQLITE_PATH` in the environment, `--sqlite-path` on
the command line of `actorq serve`, `sqlite_path` in a TOML file. The strongest source wins:

1. the flag,
2. the environment variable (an empty one counts as not set),
3. the TOML file named by `--config FILE` or `ACTORQ_CONFIG` (no file is looked for by itself),
4. the default.

A duration is a number of seconds, or text such as `"300s"`, `"5m"` or `"1h30m"`. A switch is
`true` or `false`; its flag alone means `true`. A value that is not allowed stops the start with
exit code 2 and a line that names the setting, its source and what is allowed; so does an unknown
key of a TOML file. Other environment variables are not looked at, but for `NO_COLOR`, which keeps
colours out of the logs.

[config/actorq.toml](../../config/actorq.toml) lists every setting with its default.
"""
_FILE_HEAD: Final = """\
# Every setting of an actorq server, with its default.
# Made from actorq/settings/table.py by docs/settings.py: change that, then run it.
#
#   actorq serve --config config/actorq.toml
#
# A flag (--sqlite-path) wins over an environment variable (SQLITE_PATH), which wins over this file.
# Durations are seconds, or text such as "300s", "5m" or "1h30m".
"""


def markdown() -> str:
    """Return the reference page."""
    return "\n".join([_PAGE_HEAD, *_markdown_tables()])


def example_toml() -> str:
    """Return a TOML file which says of every setting what holds without it."""
    return "\n".join([_FILE_HEAD, *_toml_lines()])


def _sections() -> Iterator[tuple[str, list[Setting]]]:
    for section in dict.fromkeys(setting.about.section for setting in SETTINGS):
        yield section, [setting for setting in SETTINGS if setting.about.section == section]


def _markdown_tables() -> Iterator[str]:
    for section, settings in _sections():
        yield f"## {section}\n"
        yield "| setting | default | allowed | meaning |"
        yield "|---|---|---|---|"
        for setting in settings:
            default = setting.written(setting.default)
            shown = f"`{default}`" if default else "none"
            allowed = setting.allowed.replace("|", "\\|")
            yield f"| `{setting.environment}` | {shown} | {allowed} | {setting.about.help} |"
        yield ""


def _toml_lines() -> Iterator[str]:
    for section, settings in _sections():
        yield f"# ── {section.lower()} ".ljust(_WIDTH, "─") + "\n"
        for setting in settings:
            comment = f"{setting.about.help}. Allowed: {setting.allowed}."
            yield textwrap.fill(
                comment[0].upper() + comment[1:],
                _WIDTH,
                initial_indent="# ",
                subsequent_indent="# ",
                break_long_words=False,
            )
            yield _toml_line(setting) + "\n"


def _toml_line(setting: Setting) -> str:
    """Return the setting as TOML; one without a default is shown as a comment."""
    text = setting.written(setting.default)
    if not text:
        return f'# {setting.name} = "…"'
    bare = setting.kind in (Kind.NUMBER, Kind.SWITCH)
    # The defaults hold neither quotes nor backslashes, which a test sees to.
    return f"{setting.name} = {text}" if bare else f'{setting.name} = "{text}"'
