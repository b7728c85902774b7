"""What can go wrong between a client and its server, beside what the server itself refuses."""

from __future__ import annotations

from actorq.errors import ActorqError, BackendUnavailable, ConfigurationError


class ServerUnreachable(BackendUnavailable):
    """The server could not be reached, or its answer was lost on the way.

    ``was_sent`` tells whether the request may have reached it: then the outcome is unknown.
    """

    code = "server_unreachable"

    def __init__(self, message: str, *, was_sent: bool) -> None:
        """Say what happened."""
        super().__init__(message)
        self.was_sent = was_sent


class BadAnswer(ActorqError):
    """What came back is no answer of an actorq server: the address may be wrong."""

    code = "bad_answer"


class Refused(ActorqError):
    """A refusal for which this version of actorq has no class.

    ``status`` is that of HTTP, ``problem`` the stable word of the problem document, empty if there was none.
    """

    code = "refused"

    def __init__(self, message: str, *, status: int, problem: str) -> None:
        """Keep what the server said."""
        super().__init__(message)
        self.status = status
        self.problem = problem


def missing(error: ImportError) -> ConfigurationError:
    """Return the error that names the extra which is not installed."""
    return ConfigurationError(
        f'the HTTP client needs an extra: pip install "actorq[client]" ({error})'
    )
