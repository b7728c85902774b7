"""The HTTP client, blocking and asynchronous: a queue on a server as one typed object.

Needs the extra ``client``; without it, making a client raises ``ConfigurationError``.
"""

from actorq.sdk.client.async_client import AsyncClient
from actorq.sdk.client.client import Client
from actorq.sdk.client.errors import BadAnswer, Refused, ServerUnreachable
from actorq.sdk.client.options import ClientOptions

__all__ = [
    "AsyncClient",
    "BadAnswer",
    "Client",
    "ClientOptions",
    "Refused",
    "ServerUnreachable",
]
