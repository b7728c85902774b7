"""Keywords beside the type that they speak of: clearer to read, and no generator misreads them."""

from __future__ import annotations

from typing import Final, cast

_OF: Final = {
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}),
    "integer": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}),
    "array": frozenset({"minItems", "maxItems"}),
    "object": frozenset({"minProperties", "maxProperties"}),
}


def into_branches(schema: object) -> None:
    """Move what bounds one type of an ``anyOf`` from beside the ``anyOf`` into that type's branch.

    ``{"minimum": 0, "pattern": …, "anyOf": [number, string]}`` is legal, and means the same; but a reader
    must know that ``minimum`` does not concern strings.
    """
    if isinstance(schema, list):
        for part in cast("list[object]", schema):
            into_branches(part)
    if not isinstance(schema, dict):
        return
    keywords = cast("dict[str, object]", schema)
    branches = keywords.get("anyOf")
    if isinstance(branches, list):
        moved: frozenset[str] = frozenset()
        for branch in cast("list[dict[str, object]]", branches):
            own = _OF.get(str(branch.get("type")), frozenset())
            branch.update({word: keywords[word] for word in own & keywords.keys()})
            moved |= own
        for word in moved & keywords.keys():
            del keywords[word]
    for part in keywords.values():
        into_branches(part)
