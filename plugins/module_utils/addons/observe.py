# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Look at the cluster without touching it: records, releases, and the metadata of every object that we own.

The cost of a look is one metadata list for each kind that we own objects of, plus a constant.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ..kube.client import METADATA, Client
from ..kube.discovery import Discovery, served_now
from ..kube.errors import ApiError
from ..kube.objects import CONFIG_MAP, NAMESPACE, SECRET, Json, ObjectId, Resource
from .digest import Digester
from .errors import EngineError
from .record import LABEL_ADDON, LABEL_NAME, LABEL_RECORD, Record, RecordedObject, from_config_map
from .release import DEPLOYED, secret_name

THREADS = 8
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class HelmRelease:
    """The newest revision of a release in Helm's storage, from the labels of its Secret."""

    name: str
    namespace: str
    revision: int
    status: str
    secret_uid: str


@dataclass
class Observed:
    """What one look at the cluster saw."""

    name: str
    uid: str
    version: str
    discovery: Discovery
    digester: Digester
    records: dict[str, Record]
    live: dict[ObjectId, Json]
    namespaces: dict[str, Json] | None
    """Metadata by name; None where this credential may not list namespaces."""
    releases: dict[tuple[str, str], HelmRelease]
    versions: dict[str, str] = field(default_factory=dict)
    """resourceVersion of each record's ConfigMap, by its name."""
    new_key: bytes | None = None
    """The digest key that this run will store: set on the first run only."""
    comparable: bool = True
    """Whether digests mean anything: not where this credential may not read the key they were made with."""
    limits: list[str] = field(default_factory=list)
    """What could not be seen for want of rights, in sentences."""


def in_parallel(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Results in the order of ``items``; the first exception is raised after all have ended."""
    work = list(items)
    if len(work) < 2:
        return [function(item) for item in work]
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="slipway-look") as pool:
        return list(pool.map(function, work))


def observe(client: Client, *, name: str, namespace: str) -> Observed:
    """One look. ``namespace`` is where records, key and lock live."""
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="slipway-look") as pool:
        ask_identity = pool.submit(client.get, NAMESPACE.path("", "kube-system"), accept=METADATA)
        ask_version = pool.submit(client.get, "/version")
        ask_discovery = pool.submit(Discovery.read, client)
        ask_records = pool.submit(_stored_records, client, name, namespace)
        ask_key = pool.submit(denied_is_none, lambda: client.get(SECRET.path(namespace, key_name(name))))
        ask_namespaces = pool.submit(denied_is_none, lambda: client.list(NAMESPACE.collection(), metadata=True))
        ask_releases = pool.submit(
            denied_is_none,
            lambda: client.list(SECRET.collection(), {"labelSelector": "owner=helm"}, metadata=True),
        )
    kube_system, version, releases = ask_identity.result(), ask_version.result(), ask_releases.result()
    namespaces = ask_namespaces.result()
    limits: list[str] = []
    uid = str(((kube_system or {}).get("metadata") or {}).get("uid", ""))
    if not uid:
        raise EngineError("SLW-3004", "the cluster has no kube-system namespace, its identity is unknown")
    stored = ask_records.result()
    parsed = [from_config_map(cm, name=name, cluster=uid) for cm in stored]
    stored_key = _key(ask_key.result())
    # Without the right to read the key nothing can be compared; without records there is nothing to compare.
    new_key = None if stored_key or parsed else os.urandom(32)
    comparable = bool(stored_key) or not parsed
    if not comparable:
        limits.append("may not read the digest key: changed values cannot be told, changed sources can")
    if releases is None:
        limits.append("may not list Secrets: revisions of releases are taken from the record")
    observed = Observed(
        name=name,
        uid=uid,
        version=str((version or {}).get("gitVersion", "")),
        discovery=ask_discovery.result(),
        digester=Digester(stored_key or new_key or b""),
        records={record.addon: record for record in parsed},
        live={},
        namespaces=None if namespaces is None else {n["metadata"]["name"]: n["metadata"] for n in namespaces},
        releases=_newest(_recorded_releases(client, parsed) if releases is None else releases),
        versions=_versions(stored),
        new_key=new_key,
        comparable=comparable,
        limits=limits,
    )
    observed.live, served = observe_objects(client, parsed, observed)
    observed.records = {
        r.addon: replace(r, objects=tuple(o.at(served.get(o.resource, o.resource)) for o in r.objects)) for r in parsed
    }
    return observed


def _stored_records(client: Client, name: str, namespace: str) -> list[Json]:
    try:
        return client.list(CONFIG_MAP.collection(namespace), {"labelSelector": _ours(name, record=True)})
    except ApiError as exc:
        # Nobody can be given rights in a namespace that is not there.
        if exc.status == 403 and client.get(NAMESPACE.path("", namespace), accept=METADATA) is None:
            return []
        raise


def record_versions(client: Client, *, name: str, namespace: str) -> dict[str, str]:
    """resourceVersions of the records as they are now: enough to tell whether another run was at work."""
    selector = {"labelSelector": _ours(name, record=True)}
    return _versions(client.list(CONFIG_MAP.collection(namespace), selector, metadata=True))


def _versions(stored: Iterable[Json]) -> dict[str, str]:
    return {item["metadata"]["name"]: str(item["metadata"].get("resourceVersion", "")) for item in stored}


def _recorded_releases(client: Client, records: Iterable[Record]) -> list[Json]:
    """Where Secrets may not be listed: those that the records name; one that may not even be read is believed."""

    def look(record: Record) -> Json | None:
        name = secret_name(record.release, record.revision)
        labels = {"name": record.release, "version": str(record.revision), "status": DEPLOYED}
        believed = {"metadata": {"namespace": record.namespace, "labels": labels}}
        try:
            return client.get(SECRET.path(record.namespace, name), accept=METADATA)
        except ApiError as exc:
            if exc.status == 403:
                return believed
            raise

    found = in_parallel(look, [record for record in records if record.revision])
    return [secret for secret in found if secret is not None]


def key_name(name: str) -> str:
    return f"slipway.{name}.key"


def _key(secret: Json | None) -> bytes:
    data = ((secret or {}).get("data") or {}).get("key", "")
    return base64.b64decode(data) if data else b""


def _ours(name: str, *, record: bool = False) -> str:
    return f"{LABEL_NAME}={name}" + (f",{LABEL_RECORD}=release" if record else f",!{LABEL_RECORD}")


def denied_is_none(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except ApiError as exc:
        if exc.status == 403:
            return None
        raise


def observe_objects(
    client: Client, records: Sequence[Record], observed: Observed
) -> tuple[dict[ObjectId, Json], dict[Resource, Resource]]:
    """Metadata of every recorded object that is there, by one list for each kind; and where the kinds are served now
    whose recorded version is not any more."""
    by_resource: dict[Resource, list[RecordedObject]] = {}
    for record in records:
        for obj in record.objects:
            if not obj.hook:
                by_resource.setdefault(obj.resource, []).append(obj)
    resources = {obj.resource for record in records for obj in record.objects}
    served = {resource: observed.discovery.served(resource) for resource in resources}

    def look(recorded: Resource) -> dict[ObjectId, Json]:
        objects = {obj.id: obj for obj in by_resource[recorded]}
        if recorded == NAMESPACE and observed.namespaces is not None:
            return {i: observed.namespaces[i.name] for i in objects if i.name in observed.namespaces}
        resource = served[recorded]
        seen = _listed(client, resource, observed.name, observed.limits)
        if seen is None:
            served[recorded] = served_now(client, resource)
            if served[recorded] != resource:
                seen = _listed(client, served[recorded], observed.name, observed.limits)
        if seen is None:
            return {}
        found = {identity: metadata for identity, metadata in seen.items() if identity in objects}
        # Not in the list is not yet gone: our label may have been taken off, or we may not list.
        for identity in objects.keys() - found.keys():
            one = client.get(objects[identity].at(served[recorded]).path, accept=METADATA)
            if one is not None:
                found[identity] = one["metadata"]
        return found

    live: dict[ObjectId, Json] = {}
    for part in in_parallel(look, sorted(by_resource, key=lambda r: (r.group, r.kind))):
        live.update(part)
    return live, served


def _listed(client: Client, resource: Resource, name: str, limits: list[str]) -> dict[ObjectId, Json] | None:
    """What carries our mark; None where nobody serves this version."""
    try:
        items = client.list(resource.collection(), {"labelSelector": _ours(name)}, metadata=True)
    except ApiError as exc:
        if exc.status == 404:
            return None
        if exc.status == 403:
            limits.append(f"may not list {resource.plural}: looked at the recorded ones only")
            return {}
        raise
    return {
        ObjectId(resource.group, resource.kind, m.get("namespace", ""), m["name"]): m
        for m in (item["metadata"] for item in items)
    }


def _newest(secrets: list[Json]) -> dict[tuple[str, str], HelmRelease]:
    newest: dict[tuple[str, str], HelmRelease] = {}
    for secret in secrets:
        meta = secret["metadata"]
        labels = meta.get("labels") or {}
        if not str(labels.get("version", "")).isdigit() or not labels.get("name"):
            continue
        release = HelmRelease(
            name=labels["name"],
            namespace=meta["namespace"],
            revision=int(labels["version"]),
            status=str(labels.get("status", "")),
            secret_uid=str(meta.get("uid", "")),
        )
        known = newest.get((release.namespace, release.name))
        if known is None or release.revision > known.revision:
            newest[release.namespace, release.name] = release
    return newest


def addon_of(metadata: Json, name: str) -> str:
    """The add-on of ours that an object belongs to by its labels, or nothing."""
    labels = metadata.get("labels") or {}
    return str(labels.get(LABEL_ADDON, "")) if labels.get(LABEL_NAME) == name else ""


def of_release(metadata: Json, namespace: str, release: str) -> bool:
    """Whether Helm made an object for this release."""
    notes = metadata.get("annotations") or {}
    found = notes.get("meta.helm.sh/release-namespace"), notes.get("meta.helm.sh/release-name")
    return found == (namespace, release)


def owner_of(metadata: Json) -> str:
    """In words, who an object that is not ours seems to belong to."""
    labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if labels.get(LABEL_NAME):
        return f"add-on {labels.get(LABEL_ADDON)} of slipway_name {labels[LABEL_NAME]}"
    if notes.get("meta.helm.sh/release-name"):
        return f"Helm release {notes.get('meta.helm.sh/release-namespace')}/{notes['meta.helm.sh/release-name']}"
    managers = sorted({str(e.get("manager")) for e in metadata.get("managedFields") or []})
    return f"{', '.join(managers)}" if managers else "somebody else"
