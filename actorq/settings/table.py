"""The table of settings: each is declared here once, with its type, default, bounds and meaning."""

from collections.abc import Callable
from typing import Annotated, Final, Literal
from urllib.parse import quote

import msgspec

from actorq.core.bounds import MAX_DELAY_S, MAX_VISIBILITY_S, MIN_VISIBILITY_S
from actorq.core.place import Place
from actorq.core.policy import Policy, Retention
from actorq.settings.values import About, Setting, settings_of

_POLICY: Final = Policy()
_KEPT: Final = _POLICY.retention
_COUNT: Final = 1_000_000_000
_MIB: Final = 1_048_576
_HOUR_S: Final = 3_600.0

STORE: Final = "Store"
SERVER: Final = "Server"
LIMITS: Final = "Limits"
JOBS: Final = "Jobs"
RETENTION: Final = "Retention"
LOGS: Final = "Logs"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of a server. Durations are seconds, sizes bytes."""

    backend: Annotated[
        Literal["sqlite", "memory", "redis", "postgres"],
        About(STORE, "where jobs are kept; memory forgets them when the server stops"),
    ] = "sqlite"
    sqlite_path: Annotated[
        str,
        About(
            STORE,
            "the file of the sqlite store; made if it is not there",
            form="(?!:memory:|file:).+",
            form_in_words="the path of a file (BACKEND=memory keeps jobs in memory)",
        ),
    ] = "actorq.db"
    redis_url: Annotated[
        str,
        About(
            STORE,
            "where the redis store is; a password in it is never shown",
            form=r"(unix|rediss?(\+(cluster|sentinel))?)://.+",
            form_in_words="a URL with the scheme redis, rediss or unix, or, for several servers, "
            "redis+cluster or redis+sentinel (rediss likewise)",
            secret=True,
        ),
    ] = "redis://localhost:6379"
    postgres_dsn: Annotated[
        str,
        About(
            STORE,
            "where the postgres store is; needed with BACKEND=postgres; a password in it is never "
            "shown",
            form="|postgres(ql)?://.+|[^:]+=.+",
            form_in_words="a URL such as postgres://user:password@host:5432/database, or the "
            "driver's own form, such as host=... dbname=...",
            secret=True,
        ),
    ] = ""
    postgres_listen_dsn: Annotated[
        str,
        About(
            STORE,
            "where to listen for notifications, if POSTGRES_DSN leads to a pooler in transaction "
            "mode; else the same",
            form="|postgres(ql)?://.+|[^:]+=.+",
            form_in_words="as POSTGRES_DSN",
            secret=True,
        ),
    ] = ""
    durability: Annotated[
        Literal["relaxed", "strict"],
        About(
            STORE,
            "strict refuses a redis or postgres that may lose acknowledged jobs; relaxed warns",
        ),
    ] = "relaxed"
    redis_wait_replicas: Annotated[
        int, About(STORE, "replicas of redis that must have a write before it counts", 0, 100)
    ] = 0
    redis_wait_timeout: Annotated[
        float, About(STORE, "how long to wait for those replicas", 0.001, 60.0)
    ] = 1.0
    store_patience: Annotated[
        float,
        About(
            STORE,
            "how long a server that starts waits for a store that is away, refusing requests (503) "
            "meanwhile",
            0.0,
            _HOUR_S,
        ),
    ] = 60.0
    namespace: Annotated[
        str,
        About(
            STORE,
            "keeps applications on one store apart: key prefix in redis, schema in postgres; "
            "a sqlite file or a memory store is one namespace by itself",
            form="[A-Za-z_][A-Za-z0-9_-]{0,62}",
            form_in_words="1 to 63 letters, digits, _ or -, not beginning with a digit or -",
        ),
    ] = "actorq"
    pool_size: Annotated[
        int,
        About(STORE, "connections for writing; sqlite uses one, as it has one writer", 1, 1_000),
    ] = 4

    host: Annotated[
        str,
        About(
            SERVER,
            "the address to listen on; other than loopback only with ALLOW_UNAUTHENTICATED",
            form=r"\S+",
            form_in_words="an IP address or a host name",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, About(SERVER, "the port to listen on; 0 takes a free one", 0, 65_535)] = (
        8080
    )
    allow_unauthenticated: Annotated[
        bool,
        About(
            SERVER,
            "listen on an address that other machines can reach, although whoever reaches it may "
            "do everything: set it behind a proxy that authenticates, or in a closed network",
        ),
    ] = False
    http_server: Annotated[
        Literal["hypercorn", "uvicorn"],
        About(SERVER, 'uvicorn is faster and needs the extra "actorq[fast]"'),
    ] = "hypercorn"
    event_loop: Annotated[
        Literal["asyncio", "trio"], About(SERVER, "trio runs with hypercorn only")
    ] = "asyncio"
    grace: Annotated[
        float,
        About(SERVER, "how long stopping may take after the first signal", 0.0, _HOUR_S),
    ] = 10.0
    require_lease_token: Annotated[
        bool, About(SERVER, "refuse (428) to settle a job without the token of its lease")
    ] = False

    max_body_bytes: Annotated[
        int,
        About(LIMITS, "the largest body of a request, batches included", 1_024, 1_024 * _MIB),
    ] = 16 * _MIB
    max_payload_bytes: Annotated[
        int, About(LIMITS, "the largest payload of a job, as UTF-8", 1, 256 * _MIB)
    ] = _POLICY.max_payload_bytes
    max_batch: Annotated[int, About(LIMITS, "jobs or items in one request", 1, 100_000)] = 1_000
    max_requests: Annotated[
        int, About(LIMITS, "requests answered at once, waiting ones included", 1, 1_000_000)
    ] = 5_000
    max_waiters: Annotated[
        int, About(LIMITS, "requests that wait for a job or a change at once", 1, 1_000_000)
    ] = 1_000
    max_connections: Annotated[
        int, About(LIMITS, "open connections; more wait to be taken", 1, 1_000_000)
    ] = 10_000
    body_timeout: Annotated[
        float, About(LIMITS, "how long the body of a request may take to arrive", 0.1, _HOUR_S)
    ] = 30.0

    visibility_timeout: Annotated[
        float,
        About(
            JOBS,
            "how long a worker holds a job without renewing, unless its queue or claim says so",
            MIN_VISIBILITY_S,
            MAX_VISIBILITY_S,
        ),
    ] = _POLICY.visibility_timeout
    max_extension: Annotated[
        float,
        About(JOBS, "how long renewals may hold one lease in all", MIN_VISIBILITY_S, MAX_DELAY_S),
    ] = _POLICY.max_extension
    max_expiries: Annotated[
        int, About(JOBS, "lost leases that a job survives; one more and it is dead", 0, _COUNT)
    ] = _POLICY.max_expiries
    max_interruptions: Annotated[
        int, About(JOBS, "hand-backs that are free; each further one is a failure", 0, _COUNT)
    ] = _POLICY.max_interruptions
    idempotency_ttl: Annotated[
        float, About(JOBS, "how long an idempotency key is remembered", 0.0, MAX_DELAY_S)
    ] = _POLICY.idempotency_ttl

    retention_completed: Annotated[
        float, About(RETENTION, "how long completed jobs are kept", 0.0, MAX_DELAY_S)
    ] = _KEPT.completed
    retention_dead: Annotated[
        float, About(RETENTION, "how long dead jobs are kept", 0.0, MAX_DELAY_S)
    ] = _KEPT.dead
    retention_cancelled: Annotated[
        float, About(RETENTION, "how long cancelled jobs are kept", 0.0, MAX_DELAY_S)
    ] = _KEPT.cancelled
    retention_max_completed: Annotated[
        int, About(RETENTION, "how many completed jobs a queue keeps at most", 0, _COUNT)
    ] = _KEPT.max_completed
    retention_max_dead: Annotated[
        int, About(RETENTION, "how many dead jobs a queue keeps at most", 0, _COUNT)
    ] = _KEPT.max_dead
    retention_max_cancelled: Annotated[
        int, About(RETENTION, "how many cancelled jobs a queue keeps at most", 0, _COUNT)
    ] = _KEPT.max_cancelled

    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], About(LOGS, "the least level to log")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "text", "json"],
        About(LOGS, "auto is text on a terminal and JSON, an object a line, elsewhere"),
    ] = "auto"

    def policy(self) -> Policy:
        """Return the bounds and defaults that the stores keep."""
        return Policy(
            visibility_timeout=self.visibility_timeout,
            max_payload_bytes=self.max_payload_bytes,
            max_expiries=self.max_expiries,
            max_interruptions=self.max_interruptions,
            max_extension=self.max_extension,
            idempotency_ttl=self.idempotency_ttl,
            retention=Retention(
                completed=self.retention_completed,
                dead=self.retention_dead,
                cancelled=self.retention_cancelled,
                max_completed=self.retention_max_completed,
                max_dead=self.retention_max_dead,
                max_cancelled=self.retention_max_cancelled,
            ),
        )

    def place(self) -> Place:
        """Return where the store is; the URL in it may hold a password."""
        return Place(
            url=_URLS[self.backend](self),
            namespace=self.namespace,
            listen_dsn=self.postgres_listen_dsn or None,
            durability=self.durability,
            wait_replicas=self.redis_wait_replicas,
            wait_timeout=self.redis_wait_timeout,
        )

    def store_name(self) -> str:
        """Return the store in words that may be shown to anybody."""
        return f"sqlite ({self.sqlite_path})" if self.backend == "sqlite" else self.backend

    def __repr__(self) -> str:
        """Show every setting; a secret that is set shows as ``'***'``."""
        shown = (f"{setting.name}={shown_value(self, setting)}" for setting in SETTINGS)
        return f"Settings({', '.join(shown)})"


_URLS: Final[dict[str, Callable[[Settings], str]]] = {
    "sqlite": lambda settings: "sqlite:///" + quote(settings.sqlite_path),
    "memory": lambda _: "memory://",
    "redis": lambda settings: settings.redis_url,
    "postgres": lambda settings: settings.postgres_dsn,
}

SETTINGS: Final[tuple[Setting, ...]] = tuple(settings_of(Settings))
"""Every setting, in the order in which people read them."""

BY_NAME: Final[dict[str, Setting]] = {setting.name: setting for setting in SETTINGS}


def shown_value(settings: Settings, setting: Setting) -> str:
    """Return a setting's value as it may be shown, masked if it is secret."""
    value: object = getattr(settings, setting.name)
    return "'***'" if setting.about.secret and value else repr(value)
