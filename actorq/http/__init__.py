"""The HTTP door: routes, problem documents, limits and the servers that carry them."""

from actorq.http.app import create_app
from actorq.http.limits import BodyLimits
from actorq.http.options import AppOptions

__all__ = ["AppOptions", "BodyLimits", "create_app"]
