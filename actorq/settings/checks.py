"""Rules between settings: each may be right by itself, and their combination still wrong."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from actorq.errors import ConfigurationError
from actorq.settings.table import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def check(settings: Settings, origins: Mapping[str, str]) -> None:
    """Raise ``ConfigurationError`` for settings that cannot be served together.

    ``origins`` says in words where each setting that is not a default was found.
    """

    def refuse(name: str, message: str) -> ConfigurationError:
        value: object = getattr(settings, name)
        origin = f"from {origins[name]}" if name in origins else "(default)"
        return ConfigurationError(f"{name.upper()}: {value!a} {origin}: {message}")

    if settings.backend == "postgres" and not settings.postgres_dsn:
        raise refuse(
            "postgres_dsn",
            "is needed with BACKEND=postgres, such as postgres://user:password@host:5432/database",
        )
    if settings.http_server == "uvicorn" and settings.event_loop != "asyncio":
        raise refuse(
            "event_loop",
            "HTTP_SERVER=uvicorn runs on asyncio only; use EVENT_LOOP=asyncio, or "
            "HTTP_SERVER=hypercorn",
        )
    if settings.max_body_bytes < settings.max_payload_bytes:
        raise refuse(
            "max_body_bytes",
            f"must be at least MAX_PAYLOAD_BYTES, which is {settings.max_payload_bytes}",
        )
    if not settings.allow_unauthenticated and not is_loopback(settings.host):
        raise refuse(
            "host",
            "other machines could reach this address, and this server does not authenticate "
            "them; listen on 127.0.0.1, or set ALLOW_UNAUTHENTICATED=true if a proxy or a "
            "closed network keeps strangers away",
        )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach ``host``; a name other than localhost may not be."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
