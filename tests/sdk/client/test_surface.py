"""The two clients have the same calls, and without the library they say what is missing."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Final

import pytest

from actorq import ConfigurationError
from actorq.sdk.client import AsyncClient, Client
from actorq.sdk.client.calls import Calls

if TYPE_CHECKING:
    from actorq.sdk.client.exchange import Conversation

INSIDE: Final = frozenset({"ask", "ask_for_job", "batches", "rest"})
"""What calls are made of."""

MAKING: Final = frozenset({"new_job", "new_schedule"})
"""What makes something, and says nothing to a server."""

CALLS: Final = sorted(
    name
    for name, _ in inspect.getmembers(Calls, inspect.isfunction)
    if not name.startswith("_") and name not in INSIDE
)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_every_call_is_a_method_of_both_clients(
    name: str, client: type[Client | AsyncClient]
) -> None:
    """What can be said can be said blocking and awaiting, with the same words of explanation (§9)."""
    method = getattr(client, name)
    call: Conversation[object] = getattr(Calls, name)
    assert method.__wrapped__ is call
    assert method.__doc__ == call.__doc__
    is_awaited = client is AsyncClient and name not in MAKING
    assert inspect.iscoroutinefunction(method) == is_awaited


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_a_missing_extra_is_named(
    make: type[Client | AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client without its library names the extra that brings it; importing needs none (§9)."""
    for name in list(sys.modules):
        if name.startswith(("httpx2", "actorq.sdk.client")) and name.endswith(("httpx2", "wire")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ConfigurationError, match=r'pip install "actorq\[client\]"'):
        make("http://127.0.0.1:8080")
