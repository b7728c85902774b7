"""The files of ``config/`` are true: they name settings that there are, and bounds that fit together."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from actorq.core.instants import parse_duration
from actorq.core.wire.bodies import MAX_WAIT_S
from actorq.http.server import ServerOptions
from actorq.runtime import Options
from actorq.settings import SETTINGS, Settings, load
from tests.servers.processes import find_program

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG: Final = Path(__file__).parent.parent.parent / "config"
DEFAULTS: Final = Settings()
NAMES: Final = {setting.environment for setting in SETTINGS}


class Service(msgspec.Struct):
    """What is read of a service of the compose file."""

    environment: dict[str, str]
    stop_grace_period: str
    ports: list[str] = []


class Compose(msgspec.Struct):
    """What is read of the compose file."""

    services: dict[str, Service]


def words(text: str, name: str) -> list[str]:
    """Return the values of a directive of nginx."""
    return re.findall(rf"^\s*{name}\s+([^;]+);", text, re.MULTILINE)


def seconds(text: str) -> float:
    """Read a duration, however it is written there."""
    return parse_duration(text, "")


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.toml")), ids=lambda path: path.name)
def test_every_toml_file_can_be_served(path: Path) -> None:
    """Each file is read as settings, and one that is named after a store chooses it."""
    settings = load({"config": str(path)}, {})
    assert settings.backend == ("sqlite" if path.stem == "actorq" else path.stem)


def test_nginx_waits_longer_than_a_server() -> None:
    """No bound of nginx cuts what a server still answers: long polls, slow stores, large bodies (§9)."""
    text = (CONFIG / "nginx.conf").read_text(encoding="utf-8")
    (silence,), (body_time,) = words(text, "proxy_read_timeout"), words(text, "client_body_timeout")
    (size,), (idle,) = words(text, "client_max_body_size"), words(text, "keepalive_timeout")
    assert seconds(silence) > MAX_WAIT_S + Options().patience
    assert seconds(body_time) >= DEFAULTS.body_timeout
    assert int(size.removesuffix("m")) * 1_048_576 > DEFAULTS.max_body_bytes
    assert seconds(idle) < ServerOptions().idle_timeout
    assert words(text, "proxy_buffering") == ["off"]


def unit() -> Mapping[str, str]:
    """Return the settings of the unit, the last of each name."""
    text = (CONFIG / "systemd" / "actorq.service").read_text(encoding="utf-8")
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def test_the_unit_gives_a_stop_its_time() -> None:
    """The system kills a server only after its grace, and allows it the connections of its settings (§9)."""
    settings = unit()
    assert float(settings["TimeoutStopSec"]) > DEFAULTS.grace + 1
    assert int(settings["LimitNOFILE"]) > DEFAULTS.max_connections
    assert settings["RestartPreventExitStatus"] == "2"


@pytest.mark.needs("systemd")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """``systemd-analyze verify`` has nothing to say about the unit, but for where the program is."""
    text = (CONFIG / "systemd" / "actorq.service").read_text(encoding="utf-8")
    path = tmp_path / "actorq.service"
    path.write_text(text.replace("/opt/actorq/bin/actorq", sys.executable), encoding="utf-8")
    program = find_program("systemd-analyze", "systemd")
    run = subprocess.run(  # noqa: S603 - the command is this file's own
        [program, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_containers_get_settings_that_there_are() -> None:
    """What the image and the compose file set are settings, allowed together, with time to stop (§9)."""
    image = (CONFIG / "docker" / "Dockerfile").read_text(encoding="utf-8")
    (line,) = re.findall(r"^ENV (.*)$", image, re.MULTILINE)
    built = dict(pair.split("=", 1) for pair in line.split())
    compose = msgspec.yaml.decode((CONFIG / "docker" / "compose.yaml").read_bytes(), type=Compose)
    servers = [compose.services[name] for name in ("one", "two")]
    for server in servers:
        chosen = {**built, **server.environment}
        assert set(chosen) <= NAMES
        settings = load({}, {**chosen, "POSTGRES_DSN": "postgres://u:p@postgres/d"})
        assert settings.backend == "postgres"
        assert seconds(server.stop_grace_period) > settings.grace + 1
    published = [port for server in servers for port in server.ports]
    nginx = (CONFIG / "nginx.conf").read_text(encoding="utf-8")
    assert [port.rpartition(":")[0] for port in published] == re.findall(r"server (\S+) max", nginx)
