"""The floor under the HTTP door: a route that answers the JSON it was sent, on the same server.

``python -m benchmarks.floors.echo``: reads ``HTTP_SERVER`` and ``EVENT_LOOP`` as ``actorq serve`` does, takes
a free port on loopback, and prints where it listens.
"""

from __future__ import annotations

import importlib.util
import os
import signal
from typing import TYPE_CHECKING, Final, cast

import anyio
import msgspec
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from actorq.http.server import serve

if TYPE_CHECKING:
    from starlette.requests import Request

    from benchmarks.plan import ServerName

_encoder: Final = msgspec.json.Encoder()


async def echo(request: Request) -> Response:
    """Decode the body and encode it again: the least that a JSON route does."""
    value: object = msgspec.json.decode(await request.body())
    return Response(_encoder.encode(value), media_type="application/json")


async def _serve(server: ServerName) -> None:
    async def asked() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                return

    await serve(
        Starlette(routes=[Route("/echo", echo, methods=["POST"])]),
        host="127.0.0.1",
        port=0,
        shutdown=asked,
        server=server,
        on_bound=lambda host, port: print(f"echo is ready on http://{host}:{port}", flush=True),
    )


def main() -> None:
    """Serve until SIGTERM or SIGINT, on the loop that ``actorq serve`` would take."""
    server = cast("ServerName", os.environ.get("HTTP_SERVER", "hypercorn"))
    fast = server == "uvicorn" and importlib.util.find_spec("uvloop") is not None
    loop = os.environ.get("EVENT_LOOP", "asyncio")
    options = {"use_uvloop": fast} if loop == "asyncio" else {}
    anyio.run(_serve, server, backend=loop, backend_options=options)


if __name__ == "__main__":
    main()
