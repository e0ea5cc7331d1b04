# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lists as a client asks for them: filtered, ordered, a page at a time."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Any

from lab.awx.outgoing import show
from lab.awx.refusal import RefusalError
from lab.awx.shape import Field, Kind
from lab.awx.store import Object, Store

RESERVED = ("page", "page_size", "order_by", "order", "search", "format", "type")
SHOWN = 25
MOST = 200
Item = tuple[Kind, Object]

LOOKUPS: dict[str, Callable[[Any, str], bool]] = {
    "exact": lambda value, wanted: _word(value) == wanted,
    "iexact": lambda value, wanted: _word(value).lower() == wanted.lower(),
    "contains": lambda value, wanted: wanted in _word(value),
    "icontains": lambda value, wanted: wanted.lower() in _word(value).lower(),
    "startswith": lambda value, wanted: _word(value).startswith(wanted),
    "endswith": lambda value, wanted: _word(value).endswith(wanted),
    "in": lambda value, wanted: _word(value) in wanted.split(","),
    "isnull": lambda value, wanted: (value is None) == (wanted.lower() in ("true", "1")),
    "gt": lambda value, wanted: float(value) > float(wanted),
    "gte": lambda value, wanted: float(value) >= float(wanted),
    "lt": lambda value, wanted: float(value) < float(wanted),
    "lte": lambda value, wanted: float(value) <= float(wanted),
}
ALWAYS = {"id": Field("integer"), "created": Field("datetime"), "modified": Field("datetime")}


def page(store: Store, kinds: list[Kind], items: list[Item], path: str, query: list[tuple[str, str]]) -> Object:
    """One page of the items, of these kinds, that the query asks for.

    :raises RefusalError: for a field, a lookup or a page that does not exist.
    """
    given = dict(query)
    _check_fields(kinds, given)
    found = _order([item for item in items if _wanted(store, item, query)], given)
    size = min(_whole(given.get("page_size", SHOWN)) or SHOWN, MOST)
    number = _whole(given.get("page", 1))
    last = max(1, -(-len(found) // size))
    if not 1 <= number <= last:
        raise RefusalError(404, {"detail": "Invalid page."})

    def link(to: int) -> str | None:
        if not 1 <= to <= last:
            return None
        rest = [(name, value) for name, value in query if name != "page"]
        return f"{path}?{urllib.parse.urlencode([*rest, ('page', str(to))])}"

    shown = [show(store, kind, thing) for kind, thing in found[(number - 1) * size : number * size]]
    return {"count": len(found), "next": link(number + 1), "previous": link(number - 1), "results": shown}


def plain_page(results: list[Object], path: str, query: list[tuple[str, str]]) -> Object:
    """One page of what is no object of the store."""
    given = dict(query)
    size = min(_whole(given.get("page_size", SHOWN)) or SHOWN, MOST)
    number = _whole(given.get("page", 1))
    wanted = [item for item in results if all(str(item.get(key)) == given[key] for key in given if key not in RESERVED)]
    more = number * size < len(wanted)
    following = f"{path}?{urllib.parse.urlencode(given | {'page': number + 1})}" if more else None
    shown = wanted[(number - 1) * size : number * size]
    return {"count": len(wanted), "next": following, "previous": None, "results": shown}


def _check_fields(kinds: list[Kind], given: dict[str, str]) -> None:
    """Also where nothing is in the list that could be asked for the field."""
    for name in given:
        first = name.removeprefix("or__").removeprefix("not__").split("__")[0]
        if name not in RESERVED and not any(first in kind.fields or first in ALWAYS for kind in kinds):
            _field(kinds[0], first)


def _whole(value: int | str) -> int:
    try:
        return int(value)
    except ValueError:
        raise RefusalError(404, {"detail": "Invalid page."}) from None


def _order(items: list[Item], given: dict[str, str]) -> list[Item]:
    for name in reversed(given.get("order_by", "id").split(",")):
        field = name.removeprefix("-")
        items.sort(key=lambda item: (item[1].get(field) is None, item[1].get(field)), reverse=name.startswith("-"))
    return items


def _wanted(store: Store, item: Item, query: list[tuple[str, str]]) -> bool:
    kind, thing = item
    either: list[bool] = []
    for name, value in query:
        if name == "type":
            if kind.type not in value.split(","):
                return False
        elif name == "search":
            if not any(value.lower() in str(thing.get(field, "")).lower() for field in (kind.identity, "description")):
                return False
        elif name in RESERVED:
            continue
        elif name.startswith("or__"):
            either.append(_matches(store, item, name.removeprefix("or__"), value))
        elif name.startswith("not__"):
            if _matches(store, item, name.removeprefix("not__"), value):
                return False
        elif not _matches(store, item, name, value):
            return False
    return not either or any(either)


def _matches(store: Store, item: Item, path: str, wanted: str) -> bool:
    kind, thing = item
    words = path.split("__")
    lookup = words.pop() if len(words) > 1 and words[-1] in LOOKUPS else "exact"
    if words[0] not in kind.fields and words[0] not in ALWAYS:
        # Others in the list have such a field.
        return False
    for word in words[:-1]:
        field = _field(kind, word)
        if not field.to:
            raise RefusalError(400, {"detail": f"{word} is not a relation of {kind.title}."})
        if thing[word] is None:
            return False
        kind, thing = store.kind_of(field.to, thing[word]), store.get(field.to, thing[word])
    field = _field(kind, words[-1])
    if wanted.lower() in ("none", "null") and field.null:
        return thing[words[-1]] is None
    if field.type in ("id", "integer") and lookup == "exact" and not wanted.lstrip("-").isdigit():
        raise RefusalError(400, {"detail": f"Field '{words[-1]}' expected a number but got '{wanted}'."})
    if field.type == "boolean" and lookup == "exact":
        wanted = "true" if wanted.lower() in ("true", "1", "t") else "false"
    try:
        return LOOKUPS[lookup](thing[words[-1]], wanted)
    except (TypeError, ValueError):
        return False


def _field(kind: Kind, name: str) -> Field:
    field = kind.fields.get(name) or ALWAYS.get(name)
    if field is None or field.write_only:
        raise RefusalError(400, {"detail": f"{kind.title.title().replace(' ', '')} has no field named '{name}'"})
    return field


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
