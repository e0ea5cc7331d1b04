# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The record: what the cluster itself knows about our releases, one ConfigMap for each.

It is written before an add-on's first write, with previous and desired objects alike, and after its last
(a transaction: DESIGN 11.2), so that a run that died leaves a cluster that the next one understands.
It holds no secret value: digests are keyed, values are masked.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from ..kube.objects import CONFIG_MAP, Json, ObjectId, Resource
from .errors import EngineError
from .model import JSON

SCHEMA = 1
LABEL_NAME = "slipway.cluster/name"
LABEL_ADDON = "slipway.cluster/addon"
LABEL_RECORD = "slipway.cluster/record"
MARKS = "slipway.cluster/"
"""What all our labels and annotations begin with."""
_PLAIN_LIMIT = 200_000


class ReleaseState(StrEnum):
    """PENDING, REMOVING and DISOWNING mean that a run began and did not finish."""

    PENDING = "pending"
    APPLIED = "applied"
    REMOVING = "removing"
    DISOWNING = "disowning"


class ObjectState(StrEnum):
    PENDING = "pending"
    LIVE = "live"


@dataclass(frozen=True)
class RecordedObject:
    """One object of a release.

    ``entry`` is the hash of our managedFields entry after our last write, ``foreign`` that of the fields which others
    hold and nothing is to be said of; ``digest`` and ``leaves`` are what we last applied; ``kept`` names fields that
    somebody was told to keep; ``former`` is who held most of an adopted object, ``manager/operation``; ``plural`` and
    ``namespaced`` let a later run find it without discovery.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    namespace: str
    name: str
    uid: str = ""
    entry: str = ""
    digest: str = ""
    leaves: str = ""
    state: ObjectState = ObjectState.PENDING
    keep: bool = False
    hook: bool = False
    preexisting: bool = False
    former: str = ""
    foreign: str = ""
    kept: tuple[str, ...] = ()

    @property
    def id(self) -> ObjectId:
        return ObjectId(self.group, self.kind, self.namespace, self.name)

    @property
    def resource(self) -> Resource:
        return Resource(self.group, self.version, self.kind, self.plural, self.namespaced)

    @property
    def path(self) -> str:
        return self.resource.path(self.namespace, self.name)

    def at(self, resource: Resource) -> RecordedObject:
        """The same object where ``resource`` has it: the version that was recorded may be served no more."""
        return replace(self, version=resource.version, plural=resource.plural, namespaced=resource.namespaced)


@dataclass(frozen=True)
class HookState:
    """How far an operation with hooks (install, upgrade, remove) has come. ``done``: the hooks that have run.
    ``acted``: all is written or deleted, hooks after it are left."""

    operation: str
    done: tuple[str, ...] = ()
    acted: bool = False


@dataclass(frozen=True)
class Record:
    """One release. ``inputs`` is the digest of all that decides what it looks like."""

    addon: str
    release: str
    namespace: str
    source: str
    state: ReleaseState
    inputs: str = ""
    version: str = ""
    app_version: str = ""
    revision: int = 0
    history: int = 0
    """The newest entry of our own history: charts have Helm's."""
    rolled_back: int = 0
    """The revision that the last run went back to; 0 when it went where the manifest pointed."""
    gated: bool = False
    upgraded: bool = False
    """Whether the chart was last rendered as an upgrade: looking at drift must render it the same way."""
    identity: str = ""
    values: dict[str, JSON] = field(default_factory=dict)
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    protected: bool = False
    drift: str = ""
    """Digest of the rules about drift: by others, the next run has to look at more than what moved."""
    remove_first: tuple[str, ...] = ()
    remove_timeout: int = 300
    store_values: bool = True
    who: str = ""
    when: str = ""
    objects: tuple[RecordedObject, ...] = ()
    hooks: HookState | None = None
    """Set while an operation with hooks is under way."""

    @property
    def hooks_alone(self) -> bool:
        """Whether hooks have run, and nothing of the release is there (yet, or any more)."""
        return self.hooks is not None and not (self.objects or self.inputs or self.revision)

    def by_id(self) -> dict[ObjectId, RecordedObject]:
        return {obj.id: obj for obj in self.objects}

    def with_objects(self, changed: dict[ObjectId, RecordedObject]) -> Record:
        merged = {**self.by_id(), **changed}
        return replace(self, objects=tuple(merged.values()))

    def without_objects(self, gone: set[ObjectId]) -> Record:
        return replace(self, objects=tuple(obj for obj in self.objects if obj.id not in gone))


def record_name(name: str, addon: str) -> str:
    return f"slipway.{name}.{addon}"


def to_config_map(record: Record, *, name: str, cluster: str, namespace: str) -> Json:
    """The ConfigMap that holds ``record``; large ones are compressed."""
    body = {"schema": SCHEMA, "name": name, "cluster": cluster, **asdict(record)}
    text = json.dumps(body, separators=(",", ":"), sort_keys=True)
    config_map: Json = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": record_name(name, record.addon),
            "namespace": namespace,
            "labels": {LABEL_NAME: name, LABEL_ADDON: record.addon, LABEL_RECORD: "release"},
        },
    }
    if len(text) > _PLAIN_LIMIT:
        packed = gzip.compress(text.encode(), mtime=0)
        config_map["binaryData"] = {"record.json.gz": base64.b64encode(packed).decode()}
    else:
        config_map["data"] = {"record.json": text}
    return config_map


def from_config_map(config_map: Json, *, name: str, cluster: str) -> Record:
    """Read a record. Raises ``EngineError`` when it is of another schema or of another cluster: acting on a record
    that we misread is how peers came to uninstall what was in use."""
    where = f"record {config_map['metadata']['name']}"
    packed = (config_map.get("binaryData") or {}).get("record.json.gz")
    try:
        text = gzip.decompress(base64.b64decode(packed)) if packed else (config_map.get("data") or {})["record.json"]
        body = json.loads(text)
    except (KeyError, ValueError, OSError, EOFError, zlib.error) as exc:
        raise EngineError("SLW-3001", f"{where} cannot be read: {exc}", "restore it, or delete it to disown") from exc
    if body.get("schema") != SCHEMA:
        raise EngineError(
            "SLW-3002",
            f"{where} has schema {body.get('schema')}, this version knows {SCHEMA}",
            "use the collection version that wrote it",
        )
    if body.get("cluster") != cluster or body.get("name") != name:
        raise EngineError(
            "SLW-3003",
            f"{where} belongs to {body.get('name')!r} on cluster {str(body.get('cluster'))[:8]}, "
            f"this is {name!r} on cluster {cluster[:8]}",
            "was it copied or restored from a backup? delete it if it is not of this cluster",
        )
    for key in ("schema", "name", "cluster"):
        del body[key]
    try:
        objects = tuple(_object(item) for item in body.pop("objects"))
        for key in ("provides", "requires", "depends", "remove_first"):
            body[key] = tuple(body[key])
        return Record(
            **{**body, "state": ReleaseState(body["state"]), "objects": objects, "hooks": _hooks(body.get("hooks"))}
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise EngineError("SLW-3001", f"{where} cannot be read: {exc}", "restore it, or delete it to disown") from exc


def _object(item: dict[str, JSON]) -> RecordedObject:
    return RecordedObject(**{**item, "state": ObjectState(item["state"]), "kept": tuple(item["kept"])})


def _hooks(item: dict[str, JSON] | None) -> HookState | None:
    return HookState(**{**item, "done": tuple(item["done"])}) if item else None


def record_path(name: str, addon: str, namespace: str) -> str:
    return CONFIG_MAP.path(namespace, record_name(name, addon))
