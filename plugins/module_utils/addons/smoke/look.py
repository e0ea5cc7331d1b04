# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Does an object meet what a smoke check expects? Each look says what is missing, in one line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ...kube.client import Client
from ...kube.discovery import Discovery
from ...kube.errors import ApiError
from ...kube.objects import Json, ObjectId, Resource, split_api_version
from ...kube.readiness_model import condition, told
from ..field_path import MISSING, look_up, steps
from ..model import JSON, Expectation

_REREAD = 1.0
_SHOWN = 80


@dataclass(frozen=True)
class Miss:
    """What is not as expected. ``live`` is the object that it is about, for reasons; None where there is none.
    ``fault``: seconds after which more waiting is in vain; None: it may still come."""

    subject: str
    message: str
    live: Json | None = None
    fault: float | None = None


class Kinds:
    """Kinds that the cluster serves; read anew, once a second at most, while one is missing: an API may just arrive."""

    def __init__(self, client: Client, discovery: Discovery) -> None:
        self._client = client
        self._discovery = discovery
        self._read = 0.0

    def exactly(self, api_version: str, kind: str) -> Resource | None:
        return self._discovery.find(api_version, kind) or self._fresh().find(api_version, kind)

    def any(self, group: str | None, kind: str) -> list[Resource]:
        """Those that a kind may mean; more than one only where no group is given."""
        found = self._of(self._discovery, group, kind)
        return found or self._of(self._fresh(), group, kind)

    def _of(self, discovery: Discovery, group: str | None, kind: str) -> list[Resource]:
        if group is None:
            return discovery.named(kind)
        one = discovery.preferred(group, kind)
        return [one] if one else []

    def _fresh(self) -> Discovery:
        if time.monotonic() - self._read >= _REREAD:
            self._read = time.monotonic()
            self._discovery = Discovery.read(self._client)
        return self._discovery


class Looker:
    """``made``: the temporary objects by id. ``namespace``: where other objects are looked for by default."""

    def __init__(self, client: Client, kinds: Kinds, made: dict[ObjectId, str], namespace: str) -> None:
        self._client = client
        self._kinds = kinds
        self._made = made
        self._namespace = namespace

    def look(self, wish: Expectation) -> Miss | None:
        """None when it is met."""
        try:
            temporary = self._temporary(wish)
            if temporary:
                misses = [self._judge(wish, str(i), self._client.get(path)) for i, path in temporary]
                return next((miss for miss in misses if miss), None)
            return self._elsewhere(wish)
        except ApiError as exc:
            if exc.status not in (403, 503):
                raise
            return Miss(_named(wish), exc.api_message)

    def _temporary(self, wish: Expectation) -> list[tuple[ObjectId, str]]:
        return [
            (identity, path)
            for identity, path in sorted(self._made.items())
            if identity.kind == wish.kind
            and wish.group in (None, identity.group)
            and wish.name in ("", identity.name)
            and not wish.namespace
        ]

    def _elsewhere(self, wish: Expectation) -> Miss | None:
        found = self._kinds.any(wish.group, wish.kind)
        if len(found) > 1:
            groups = ", ".join(sorted(r.group or "(core)" for r in found))
            return Miss(_named(wish), f"the kind is served by several groups, give one: {groups}", fault=0.0)
        if not found:
            absent = wish.exists is False
            return None if absent else Miss(_named(wish), "nobody serves this kind")
        resource = found[0]
        namespace = (wish.namespace or self._namespace) if resource.namespaced else ""
        if wish.name:
            subject = str(ObjectId(resource.group, resource.kind, namespace, wish.name))
            return self._judge(wish, subject, self._client.get(resource.path(namespace, wish.name)))
        return self._one_of(wish, self._client.list(resource.collection(namespace)))

    def _one_of(self, wish: Expectation, items: Sequence[Json]) -> Miss | None:
        if wish.exists is False:
            misses = [self._judge(wish, _named(wish), item) for item in items]
            return next((miss for miss in misses if miss), None)
        misses = [self._judge(wish, _subject(wish.kind, item), item) for item in items]
        if any(miss is None for miss in misses):
            return None
        return misses[0] if misses else Miss(_named(wish), "there is none")

    def _judge(self, wish: Expectation, subject: str, live: Json | None) -> Miss | None:
        if live is None:
            return None if wish.exists is False else Miss(subject, "is not there")
        if wish.type:
            return _condition(wish, subject, live)
        if not wish.path:
            return Miss(subject, "is there", live) if wish.exists is False else None
        value = look_up(live, steps(wish.path) or ())
        if wish.exists is not None:
            there = value is not MISSING and value is not None
            return (
                None
                if there is wish.exists
                else Miss(subject, f"{wish.path} is {_short(value)}" if there else f"{wish.path} is not set", live)
            )
        if value is not MISSING and value == wish.equals:
            return None
        is_now = "is not set" if value is MISSING else f"is {_short(value)}"
        return Miss(subject, f"{wish.path} {is_now}, {_short(wish.equals)} is expected", live)


def _condition(wish: Expectation, subject: str, live: Json) -> Miss | None:
    entry = condition(live, wish.type)
    if entry.get("status") == wish.status:
        return None
    if not entry:
        return Miss(subject, f"condition {wish.type} is not set yet", live)
    return Miss(subject, f"{wish.type} is {entry.get('status')}: {told(entry, 'no reason given')}", live)


def identity_of(body: Json, namespace: str) -> ObjectId:
    group = split_api_version(str(body["apiVersion"]))[0]
    return ObjectId(group, str(body["kind"]), namespace, str(body["metadata"]["name"]))


def _named(wish: Expectation) -> str:
    where = f"{wish.namespace}/{wish.name}".strip("/")
    return f"{wish.kind} {where}".strip()


def _subject(kind: str, item: Json) -> str:
    meta = item["metadata"]
    return str(ObjectId("", kind, meta.get("namespace", ""), meta["name"]))


def _short(value: JSON) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
