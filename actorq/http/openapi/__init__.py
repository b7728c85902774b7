"""The description of the API that programs read: OpenAPI 3.1, made from the types of the wire."""

from actorq.http.openapi.document import Document, document

__all__ = ["Document", "document"]
