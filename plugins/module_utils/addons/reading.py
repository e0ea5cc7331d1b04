# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Read outputs of add-ons from the cluster: one request for each object, and a reason where there is no value."""

from __future__ import annotations

import base64
import json

from ..kube.client import Client
from ..kube.discovery import Discovery
from ..kube.errors import ApiError
from ..kube.objects import Json, ObjectId, Resource
from .field_path import MISSING, look_up
from .finding import KeyPath, format_path
from .layers import kind
from .model import JSON
from .output import Output, Reading

ABSENT, MISTYPED, DENIED = "SLW-4501", "SLW-4502", "SLW-4503"
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
}
_WORDS = {"text": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
          "list": "a list", "map": "a map"}  # fmt: skip
_TOLD = 6


class _NoValueError(Exception):
    def __init__(self, why: str, code: str = ABSENT) -> None:
        super().__init__(why)
        self.reading = Reading(code=code, why=why)


class LiveOutputs:
    """One look: whatever is read more than once is asked for once. Raises ``KubeError`` when nobody answers."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._discovery: Discovery | None = None
        self._objects: dict[str, Json | _NoValueError] = {}

    def __call__(self, output: Output) -> Reading:
        try:
            resource = self._resource(output)
            identity = ObjectId(
                resource.group, resource.kind, output.namespace if resource.namespaced else "", output.object
            )
            obj = self._object(resource, identity)
            return Reading(_typed(output, identity, _decoded(output, _field(obj, output.path, identity), identity)))
        except _NoValueError as none:
            return none.reading

    def _resource(self, output: Output) -> Resource:
        if self._discovery is None:
            self._discovery = Discovery.read(self._client)
        groups = [output.group] if output.group else sorted(r.group for r in self._discovery.named(output.kind))
        # The cluster's own kinds have their names first: Service is not Knative's.
        if len(groups) > 1 and "" not in groups:
            raise _NoValueError(
                f"the kind {output.kind} is served by {' and '.join(groups)}: name one as 'group'", MISTYPED
            )
        found = self._discovery.preferred("" if "" in groups else groups[0], output.kind) if groups else None
        if found is None:
            of = f" of group {output.group}" if output.group else ""
            raise _NoValueError(f"nobody serves the kind {output.kind}{of}")
        return found

    def _object(self, resource: Resource, identity: ObjectId) -> Json:
        path = resource.path(identity.namespace, identity.name)
        if path not in self._objects:
            self._objects[path] = self._asked(path, identity)
        found = self._objects[path]
        if isinstance(found, _NoValueError):
            raise found
        return found

    def _asked(self, path: str, identity: ObjectId) -> Json | _NoValueError:
        try:
            return self._client.get(path) or _NoValueError(f"there is no {identity}")
        except ApiError as exc:
            if exc.status != 403:
                raise
            return _NoValueError(f"no right to get {identity}", DENIED)


def _field(obj: Json, path: KeyPath, identity: ObjectId) -> JSON:
    value: JSON = obj
    for end, key in enumerate(path):
        below = look_up(value, (key,))
        if below is MISSING or below is None:
            keys = sorted(value)[:_TOLD] if end and isinstance(value, dict) else []
            there = f"; there is: {', '.join(keys)}" if keys else ""
            raise _NoValueError(f"{identity} has no {format_path(path[: end + 1])}{there}")
        value = below
    return value


def _decoded(output: Output, value: JSON, identity: ObjectId) -> JSON:
    """Secrets hold text in base64, and ConfigMaps hold nothing but text: what it says is read from it."""
    if identity.group or identity.kind not in ("Secret", "ConfigMap") or output.path[0] != "data":
        return value

    def plain(held: JSON) -> str:
        try:
            return base64.b64decode(held, validate=True).decode() if identity.kind == "Secret" else str(held)
        except ValueError as exc:
            raise _mistyped(output, identity, "no text") from exc

    if len(output.path) == 1:
        return {key: plain(held) for key, held in value.items()}
    text = plain(value)
    if output.type == "text":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _typed(output: Output, identity: ObjectId, value: JSON) -> JSON:
    fits = isinstance(value, _TYPES[output.type]) and (isinstance(value, bool) is (output.type == "boolean"))
    if fits:
        return value
    raise _mistyped(output, identity, kind(value))


def _mistyped(output: Output, identity: ObjectId, found: str) -> _NoValueError:
    text = f"{identity}: {format_path(output.path)} is {found}, {_WORDS[output.type]} is declared"
    return _NoValueError(text, MISTYPED)
