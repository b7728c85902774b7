"""Settings: where they come from, which source wins, and how a wrong one says so."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from actorq.core.policy import Policy
from actorq.settings import SETTINGS, Settings, add_flags, flags_of, load, wants_color
from tests.settings.refused import refusal, toml

if TYPE_CHECKING:
    from pathlib import Path


def test_defaults_are_those_of_the_contract() -> None:
    """Without any source the documented defaults hold, and the policy is the contract's."""
    settings = load({}, {})
    assert settings == Settings()
    assert (settings.backend, settings.host, settings.port) == ("sqlite", "127.0.0.1", 8080)
    assert (settings.sqlite_path, settings.namespace) == ("actorq.db", "actorq")
    assert settings.policy() == Policy()


def test_every_source_wins_over_the_next(tmp_path: Path) -> None:
    """A flag wins over the environment, the environment over the file, the file over the default."""
    file = toml(tmp_path, "port = 1\npool_size = 2\ngrace = '3s'\n")
    settings = load({"port": "11"}, {**file, "PORT": "12", "POOL_SIZE": "13"})
    assert (settings.port, settings.pool_size, settings.grace) == (11, 13, 3.0)
    assert settings.max_batch == Settings().max_batch


def test_the_flag_config_wins_over_its_variable(tmp_path: Path) -> None:
    """``--config`` names another file than ACTORQ_CONFIG: the flag's is read."""
    other = tmp_path / "other.toml"
    other.write_text("port = 7", encoding="utf-8")
    assert load({"config": str(other)}, toml(tmp_path, "port = 8")).port == 7


def test_empty_and_foreign_variables_are_not_looked_at() -> None:
    """An empty variable counts as not set, and variables of other names have no effect."""
    assert load({}, {"PORT": "", "ACTORQ_CONFIG": "", "PORTS": "x", "port": "1"}) == Settings()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300s", 300.0), ("5m", 300.0), ("1h30m", 5_400.0), ("2.5", 2.5), ("14d", 1_209_600.0)],
)
def test_durations_take_the_lenient_forms(text: str, seconds: float) -> None:
    """A duration may be seconds or text with units (contract section 1)."""
    assert load({}, {"RETENTION_DEAD": text}).retention_dead == seconds


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_default_can_be_said_in_every_source(setting: object, tmp_path: Path) -> None:
    """What holds by default is also allowed when it is said, as text and in a file."""
    found = next(entry for entry in SETTINGS if entry is setting)
    text = found.written(found.default)
    assert load({}, {found.environment: text}) == Settings()
    if text:
        assert load({found.name: text}, {}) == Settings()
        assert load({}, toml(tmp_path, f'{found.name} = "{text}"')) == Settings()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("PORT", "abc"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "8080.0"),
        ("PORT", "8_080"),
        ("PORT", "٨٠"),
        ("PORT", "9" * 5_000),
        ("BACKEND", "mysql"),
        ("EVENT_LOOP", "curio"),
        ("GRACE", "soon"),
        ("GRACE", "-1"),
        ("GRACE", "nan"),
        ("GRACE", "2h"),
        ("VISIBILITY_TIMEOUT", "0.5"),
        ("VISIBILITY_TIMEOUT", "12h1s"),
        ("REQUIRE_LEASE_TOKEN", "maybe"),
        ("SQLITE_PATH", ":memory:"),
        ("SQLITE_PATH", "a\x00b"),
        ("NAMESPACE", "{a}"),
        ("LOG_LEVEL", "loud\x1b[31m"),
    ],
)
def test_a_wrong_value_names_itself_its_source_and_what_is_allowed(name: str, wrong: str) -> None:
    """The message holds the setting, the source and the bound, on one printable line."""
    setting = next(entry for entry in SETTINGS if entry.environment == name)
    from_variable = refusal({}, {name: wrong})
    from_flag = refusal({setting.name: wrong}, {})
    for message in (from_variable, from_flag):
        assert message.startswith(f"{name}: ")
        assert f"must be {setting.allowed}" in message
        assert message.isprintable()
        assert len(message) < 400
    assert f"environment variable {name}" in from_variable
    assert f"flag {setting.flag}" in from_flag


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("port = true", "PORT: True"),
        ("port = 80.5", "PORT: 80.5"),
        ("grace = true", "GRACE: True"),
        ("grace = inf", "GRACE: inf"),
        (f"grace = {'9' * 400}", "GRACE: 999"),
        ("log_level = 3", "LOG_LEVEL: 3"),
        ("host = ['a']", "HOST: ['a']"),
        ("require_lease_token = 1", "REQUIRE_LEASE_TOKEN: 1"),
    ],
)
def test_a_wrong_value_in_a_file_names_the_file_and_the_key(
    line: str, what: str, tmp_path: Path
) -> None:
    """A value of the wrong type in a TOML file is refused by file name and key."""
    environment = toml(tmp_path, line)
    message = refusal({}, environment)
    assert message.startswith(what)
    assert f"{environment['ACTORQ_CONFIG']} key {line.split(' ', 1)[0]}" in message


@pytest.mark.parametrize(
    ("key", "nearest"), [("prot", "port"), ("PORT", "port"), ("max-waiters", "max_waiters")]
)
def test_an_unknown_key_is_refused_with_the_nearest_name(
    key: str, nearest: str, tmp_path: Path
) -> None:
    """A slip in a TOML file does not go unseen, and the message says what was meant."""
    message = refusal({}, toml(tmp_path, f"{key} = 1"))
    assert repr(key) in message
    assert f"did you mean {nearest}?" in message


def test_a_table_in_the_file_is_refused(tmp_path: Path) -> None:
    """Settings are flat: a table is an unknown key, and is called what it is."""
    message = refusal({}, toml(tmp_path, "[queues]\nport = 1"))
    assert "'queues' is not a setting but a table" in message


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"port = 1\nport = 2"])
def test_a_file_that_is_not_toml_is_one_clear_line(content: bytes, tmp_path: Path) -> None:
    """A broken file is named, with its source and the place of the error."""
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    message = refusal({"config": str(path)}, {})
    assert "broken.toml" in message
    assert "flag --config" in message
    assert "not a TOML file" in message
    assert message.isprintable()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file stops the start, whatever names it; a folder does too."""
    message = refusal({}, {"ACTORQ_CONFIG": str(tmp_path / "none.toml")})
    assert "none.toml" in message
    assert "environment variable ACTORQ_CONFIG" in message
    assert str(tmp_path) in refusal({"config": str(tmp_path)}, {})


def test_every_setting_has_a_flag() -> None:
    """Each setting can be given on the command line; a switch's flag alone means true."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    line = [
        word for setting in SETTINGS for word in (setting.flag, setting.written(setting.default))
    ]
    flags = flags_of(parser.parse_args([*line, "--config", "x"]))
    assert set(flags) == {"config", *(setting.name for setting in SETTINGS)}
    alone = flags_of(parser.parse_args(["--require-lease-token"]))
    assert load(alone, {}).require_lease_token is True
    assert flags_of(parser.parse_args([])) == {}


def test_no_color_is_kept() -> None:
    """NO_COLOR, set to anything, keeps colours away."""
    assert wants_color({"NO_COLOR": ""})
    assert not wants_color({"NO_COLOR": "0"})
