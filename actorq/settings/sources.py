"""Where settings come from, and which source wins: flag, environment, TOML file, default.

The only module that reads the environment, and the only one that reads a configuration file.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from actorq.errors import ConfigurationError
from actorq.settings.checks import check
from actorq.settings.table import BY_NAME, SETTINGS, Settings
from actorq.settings.values import Refused

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from actorq.settings.values import Setting, Value

CONFIG_FLAG: Final = "--config"
CONFIG_ENVIRONMENT: Final = "ACTORQ_CONFIG"
_LONGEST_SHOWN: Final = 80
_LONGEST_PATH: Final = 1_000
_IS_TABLE: Final = " but a table, and settings stand outside of tables"


class Given(msgspec.Struct, frozen=True):
    """A raw value and where it was found, in words."""

    raw: object
    origin: str


def load(flags: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that hold, each from its strongest source.

    ``flags`` maps names of settings, and ``config``, to text; ``environment`` is the process's own
    unless given. An empty environment variable counts as not set; variables of other names are
    not looked at. Raises ``ConfigurationError`` that names the setting, its source and what is
    allowed.
    """
    variables = os.environ if environment is None else environment
    given = _from_file(flags, variables)
    for setting in SETTINGS:
        if variables.get(setting.environment):
            origin = f"environment variable {setting.environment}"
            given[setting.name] = Given(variables[setting.environment], origin)
        if setting.name in flags:
            given[setting.name] = Given(flags[setting.name], f"flag {setting.flag}")
    values = {name: _read(BY_NAME[name], source) for name, source in given.items()}
    settings = msgspec.convert(values, Settings)
    check(settings, {name: source.origin for name, source in given.items()})
    return settings


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` a flag for every setting, its help naming environment, default and bounds."""
    parser.add_argument(
        CONFIG_FLAG,
        metavar="FILE",
        help=f"a TOML file with settings ({CONFIG_ENVIRONMENT}; none is looked for by itself)",
    )
    for section in dict.fromkeys(setting.about.section for setting in SETTINGS):
        group = parser.add_argument_group(section.lower())
        for setting in (entry for entry in SETTINGS if entry.about.section == section):
            is_switch = isinstance(setting.default, bool)
            group.add_argument(
                setting.flag,
                dest=setting.name,
                metavar="{" + ",".join(setting.choices) + "}" if setting.choices else "VALUE",
                nargs="?" if is_switch else None,
                const="true" if is_switch else None,
                help=_help(setting).replace("%", "%%"),
            )


def flags_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the flags of ``add_flags`` that were given on the command line."""
    found: dict[str, object] = vars(arguments)
    names = ("config", *BY_NAME)
    return {name: text for name in names if isinstance(text := found.get(name), str)}


def wants_color(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether colours may be used on a terminal (https://no-color.org)."""
    return not (os.environ if environment is None else environment).get("NO_COLOR")


def _help(setting: Setting) -> str:
    default = setting.written(setting.default) or "none"
    allowed = "" if setting.choices else f"; {setting.allowed}"
    return f"{setting.about.help} [{setting.environment}, default {default}{allowed}]"


def _read(setting: Setting, given: Given) -> Value:
    try:
        return setting.read(given.raw)
    except Refused as refusal:
        shown = "the value (not shown)" if setting.about.secret else _shown(given.raw)
        raise ConfigurationError(
            f"{setting.environment}: {shown} from {given.origin} is not allowed: {refusal}"
        ) from None


def _shown(raw: object, longest: int = _LONGEST_SHOWN) -> str:
    # repr: a line break or an escape sequence in the value must not reach the terminal.
    text = ascii(raw)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _from_file(flags: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, Given]:
    """Return what the TOML file says, if one was named."""
    if "config" in flags:
        path, origin = flags["config"], f"flag {CONFIG_FLAG}"
    elif variables.get(CONFIG_ENVIRONMENT):
        path, origin = variables[CONFIG_ENVIRONMENT], f"environment variable {CONFIG_ENVIRONMENT}"
    else:
        return {}
    given: dict[str, Given] = {}
    for key, raw in _parsed(path, origin).items():
        if key not in BY_NAME:
            hint = _IS_TABLE if isinstance(raw, dict) else _near(key)
            named = f"{_shown(path, _LONGEST_PATH)}: {_shown(key)}"
            raise ConfigurationError(f"{named} is not a setting{hint}")
        given[key] = Given(raw, f"{path if path.isprintable() else ascii(path)} key {key}")
    return given


def _parsed(path: str, origin: str) -> dict[str, object]:
    """Read and parse a TOML file, whatever may be wrong with it."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or "cannot be read"
    except (ValueError, RecursionError) as error:
        reason = f"not a TOML file: {error}".replace("\n", " ")
    raise ConfigurationError(f"the file {_shown(path, _LONGEST_PATH)} from {origin}: {reason}")


def _near(key: str) -> str:
    found = difflib.get_close_matches(key.lower().replace("-", "_"), BY_NAME, n=1)
    return f"; did you mean {found[0]}?" if found else f"; the settings are {', '.join(BY_NAME)}"
