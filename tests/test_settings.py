"""Settings: where they come from, which source wins, and how a wrong one says so."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actorq.core.policy import Policy
from actorq.errors import ConfigurationError
from actorq.settings import SETTINGS, Settings, add_flags, flags_of, load, pages, wants_color
from actorq.settings.checks import is_loopback
from actorq.settings.values import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent


def refusal(flags: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Return the message with which these sources are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(flags, environment)
    return str(caught.value)


def toml(folder: Path, text: str) -> dict[str, str]:
    """Write a configuration file and return the environment that names it."""
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    return {"ACTORQ_CONFIG": str(path)}


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
    """Settings are flat: a table is an unknown key like any other."""
    assert "'queues' is not a setting" in refusal({}, toml(tmp_path, "[queues]\nport = 1"))


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


def test_postgres_needs_its_address() -> None:
    """The one store without a sensible default says which setting is missing, and shows one."""
    message = refusal({}, {"BACKEND": "postgres"})
    assert message.startswith("POSTGRES_DSN")
    assert "needed with BACKEND=postgres" in message
    assert "postgres://user:password@host" in message


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "jobs.example", "::ffff:10.0.0.1"]
)
def test_an_open_address_needs_a_word(host: str) -> None:
    """A server without authentication does not listen beyond loopback unless told to (row F7)."""
    message = refusal({}, {"HOST": host})
    assert "environment variable HOST" in message
    assert "ALLOW_UNAUTHENTICATED=true" in message
    assert load({}, {"HOST": host, "ALLOW_UNAUTHENTICATED": "true"}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_loopback_needs_no_word(host: str) -> None:
    """Every name of this machine for itself is taken as it is."""
    assert is_loopback(host)
    assert load({"host": host}, {}).host == host


def test_uvicorn_runs_on_asyncio_only() -> None:
    """The two settings that exclude each other are both named, with a way out."""
    message = refusal({"event_loop": "trio"}, {"HTTP_SERVER": "uvicorn"})
    assert "EVENT_LOOP: 'trio' from flag --event-loop" in message
    assert "HTTP_SERVER=hypercorn" in message


def test_a_body_must_hold_a_payload() -> None:
    """A body limit under the payload's is refused, as no such job could ever arrive."""
    assert "MAX_PAYLOAD_BYTES, which is 1048576" in refusal({}, {"MAX_BODY_BYTES": "4096"})


SECRETS = {
    "REDIS_URL": "redis://u:hunter2@h",
    "POSTGRES_DSN": "postgres://u:hunter2@h/d",
    "POSTGRES_LISTEN_DSN": "host=h password=hunter2",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown(name: str, tmp_path: Path) -> None:
    """A password is neither in an error message nor in the settings as text."""
    secret = "ftp://u:hunter2@h\n"
    key = name.lower()
    for message in (
        refusal({}, {name: secret}),
        refusal({key: secret}, {}),
        refusal({}, toml(tmp_path, f"{key} = {secret!r}".replace("'", '"'))),
    ):
        assert "hunter2" not in message
        assert message.startswith(f"{name}: the value (not shown)")
    settings = load({}, {name: SECRETS[name]})
    assert "hunter2" not in f"{settings!r} {settings}"
    assert f"{key}='***'" in repr(settings)


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("jobs.db", "sqlite:///jobs.db"),
        ("/var/jobs.db", "sqlite:////var/jobs.db"),
        ("a b?c#d%.db", "sqlite:///a%20b%3Fc%23d%25.db"),
    ],
)
def test_the_store_has_a_url(path: str, url: str) -> None:
    """The path of a SQLite file survives its way through the URL, whatever is in it."""
    assert load({"sqlite_path": path}, {}).place().url == url
    assert load({"backend": "memory"}, {}).place().url == "memory://"


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (0.1, "0.1s"), (90.0, "90s"), (3_600.0, "1h"), (1_209_600.0, "14d")],
)
def test_durations_are_written_in_their_largest_unit(seconds: float, text: str) -> None:
    """A default is shown as a person would say it."""
    assert format_duration(seconds) == text


def test_the_reference_page_is_up_to_date() -> None:
    """docs/reference/settings.md is what docs/settings.py makes from the table now."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert page == pages.markdown()
    assert all(f"| `{setting.environment}` |" in page for setting in SETTINGS)


def test_the_example_file_says_the_defaults() -> None:
    """config/actorq.toml is up to date, holds every setting, and changes none."""
    path = ROOT / "config" / "actorq.toml"
    text = path.read_text(encoding="utf-8")
    assert text == pages.example_toml()
    assert load({"config": str(path)}, {}) == Settings()
    unset = {setting.name for setting in SETTINGS if setting.default == ""}
    assert set(tomllib.loads(text)) == {setting.name for setting in SETTINGS} - unset
    assert all(f'# {name} = "' in text for name in unset)


@pytest.mark.parametrize("backend", ["sqlite", "memory"])
def test_each_store_has_a_file(backend: str) -> None:
    """config/sqlite.toml and config/memory.toml choose the store of their name."""
    assert load({"config": str(ROOT / "config" / f"{backend}.toml")}, {}).backend == backend
