"""What a server must promise so that no job is lost (contract §10), and what to say when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from redis.exceptions import ResponseError

from actorq.errors import BackendUnavailable, ConfigurationError

if TYPE_CHECKING:
    from actorq.backends.redis.link import Link

Durability: TypeAlias = Literal["strict", "relaxed"]
"""``strict`` refuses a server that may lose what it has confirmed, ``relaxed`` warns of it."""

OLDEST: Final = (6, 2)
"""The oldest version of Redis that has all commands which the scripts use."""

_ASKED: Final = ("maxmemory-policy", "appendonly", "appendfsync")


def examine(link: Link, durability: Durability) -> tuple[str, ...]:
    """Return what an operator should know; raise ``ConfigurationError`` for what cannot be used."""
    about = _info(link, b"server")
    version = about.get("redis_version", "0")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        raise ConfigurationError(f"Redis {version} is too old: 6.2 is the oldest that can be used")
    if _info(link, b"replication").get("role") != "master":
        # It may be on its way to become the primary; as long as it is not, nothing can be written.
        raise BackendUnavailable("this Redis is a replica, which takes no writes")
    losses, warnings = _losses(link)
    if losses and durability == "strict":
        raise ConfigurationError(f"with durability strict, this Redis cannot be used: {losses[0]}")
    return (*losses, *warnings)


def _losses(link: Link) -> tuple[list[str], list[str]]:
    """Return what may lose jobs, and what else is worth a warning."""
    try:
        found = [_setting(link, name) for name in _ASKED]
    except (ResponseError, ConfigurationError) as error:
        advice = "make sure that maxmemory-policy is noeviction and that the append-only file is on"
        return [], [f"CONFIG GET is not allowed here ({error}): {advice}"]
    eviction, append_only, fsync = found
    losses: list[str] = []
    if eviction != "noeviction":
        losses.append(
            f"maxmemory-policy is {eviction}, so jobs are thrown away when its memory is full; "
            "set it to noeviction"
        )
    if append_only != "yes":
        losses.append(
            "the append-only file is off, so jobs are lost when it restarts; set appendonly to yes"
        )
    elif fsync != "always":
        losses.append(
            f"appendfsync is {fsync}, so the latest jobs are lost when its machine fails; "
            "set it to always"
        )
    return losses, []


def _setting(link: Link, name: str) -> str:
    found = cast("list[bytes]", link.call(b"CONFIG", b"GET", name.encode()))
    if not found:
        raise ResponseError(f"no such setting: {name}")
    return found[1].decode()


def _info(link: Link, section: bytes) -> dict[str, str]:
    text = cast("bytes", link.call(b"INFO", section)).decode()
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        found[name] = value
    return found
