"""Where a server is: from a URL, or by asking the sentinels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import RedisError
from redis.retry import Retry

from actorq.errors import BackendUnavailable, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence


_SENTINEL_PORT: Final = 26_379


class Connection(Protocol):
    """The driver's connection, as far as it is used here; the driver's own types are incomplete."""

    def connect(self) -> None:
        """Connect, and say who we are."""
        ...

    def disconnect(self) -> None:
        """Close the socket; safe to call twice."""
        ...

    def send_packed_command(self, command: Sequence[bytes]) -> None:
        """Send bytes."""
        ...

    def can_read(self, timeout: float) -> bool:
        """Wait until something can be read, or the connection is over."""
        ...

    def read_response(self) -> object:
        """Read one reply; one that is an error is raised."""
        ...


class Address(Protocol):
    """A server's address, which may be another one at the next connect."""

    def connection(self) -> Connection:
        """Return a connection that is not open yet."""
        ...


class ServerAddress:
    """Where a server is and how it wants to be spoken to, from a URL."""

    def __init__(self, url: str, timeout: float) -> None:
        """Read ``url``; ``timeout`` (seconds) bounds each connect, send and receive."""
        # A socket in the file system has nothing to be kept alive, and its connection takes no such word.
        over_network = {} if url.startswith("unix:") else {"socket_keepalive": True}
        try:
            pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - **kwargs
                url,
                **over_network,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                socket_read_size=262_144,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        except ValueError as error:
            raise ConfigurationError(f"the Redis URL cannot be read: {error}") from None
        self._class = pool.connection_class
        self._options = pool.connection_kwargs
        self.timeout = timeout
        try:
            self.connection()
        except TypeError:
            # The driver hands every option of the query to its connection, and says only there what it
            # does not know.
            options = ", ".join(name for name, _ in parse_qsl(urlsplit(url).query))
            raise ConfigurationError(
                f"the Redis URL has an option that there is not, among these: {options}"
            ) from None

    def connection(self) -> Connection:
        """Return a connection that is not open yet."""
        return cast("Connection", self._class(**self._options))

    def __str__(self) -> str:
        """Tell where it is, without the password."""
        options = self._options
        if "path" in options:
            return f"unix:{options['path']}"
        return f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"


class SentinelAddress:
    """The address of whichever server is the primary of a service, as the sentinels say."""

    def __init__(self, url: str, timeout: float) -> None:
        """Read ``redis+sentinel://user:password@sentinel:26379,sentinel:26379/service/database``.

        User and password are the servers'; the sentinels' are ``sentinel_username`` and
        ``sentinel_password`` in the query, if they want any.
        """
        parts = urlsplit(url)
        self._scheme = parts.scheme.removesuffix("+sentinel")
        self._user, hosts = hosts_of(parts.netloc)
        service, _, self._database = parts.path.removeprefix("/").partition("/")
        if not service or not hosts:
            raise ConfigurationError(
                "a sentinel URL names the sentinels and the service: "
                "redis+sentinel://host:26379,host:26379/service"
            )
        self._service = unquote(service)
        query = dict(parse_qsl(parts.query))
        user = quote(query.pop("sentinel_username", ""), safe="")
        password = quote(query.pop("sentinel_password", ""), safe="")
        login = f"{user}:{password}@" if user or password else ""
        self._query = urlencode(query)
        self._timeout = timeout
        self._sentinels = [
            ServerAddress(f"{self._scheme}://{login}{host}", timeout)
            for host in (with_port(host, _SENTINEL_PORT) for host in hosts)
        ]

    def connection(self) -> Connection:
        """Ask where the primary is, and return a connection there that is not open yet."""
        host = self._primary()
        url = f"{self._scheme}://{self._user}{host}/{self._database}?{self._query}"
        return ServerAddress(url, self._timeout).connection()

    def __str__(self) -> str:
        """Tell the service, and who is asked for it."""
        return f"{self._service} (by {', '.join(map(str, self._sentinels))})"

    def _primary(self) -> str:
        """Return host and port of the primary, by the first sentinel that knows."""
        problems: list[str] = []
        for sentinel in list(self._sentinels):
            try:
                found = ask(
                    sentinel, b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", self._service.encode()
                )
            except RedisError as error:
                problems.append(f"{sentinel}: {error}")
                continue
            if found is not None:
                # Whoever answers is asked first from now on.
                self._sentinels.remove(sentinel)
                self._sentinels.insert(0, sentinel)
                host, port = (part.decode() for part in cast("list[bytes]", found))
                return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            problems.append(f"{sentinel}: knows no service {self._service!r}")
        raise BackendUnavailable(f"no sentinel tells where the primary is: {'; '.join(problems)}")


def ask(address: Address, *command: bytes) -> object:
    """Send one command over a connection of its own; raises the driver's errors."""
    connection = address.connection()
    try:
        connection.connect()
        connection.send_packed_command([packed(command)])
        return connection.read_response()
    finally:
        connection.disconnect()


def hosts_of(netloc: str) -> tuple[str, list[str]]:
    """Split the place of a URL with several hosts into its login (with the ``@``) and the hosts."""
    login, at, hosts = netloc.rpartition("@")
    return login + at, [host for host in hosts.split(",") if host]


def with_port(host: str, port: int) -> str:
    """Return ``host`` with a port, this one if it has none."""
    return host if host.rpartition(":")[2].isdigit() else f"{host}:{port}"


_LENGTHS: Final = [b"$%d\r\n" % length for length in range(1_024)]


def packed(command: Sequence[bytes]) -> bytes:
    """Write a command in the server's protocol; many times faster than the driver's own writer."""
    parts = [b"*%d\r\n" % len(command)]
    add = parts.append
    for argument in command:
        length = len(argument)
        add(_LENGTHS[length] if length < len(_LENGTHS) else b"$%d\r\n" % length)
        add(argument)
        add(b"\r\n")
    return b"".join(parts)
