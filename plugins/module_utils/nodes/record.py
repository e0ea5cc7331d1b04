# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The cluster record: what the nodes were built with, kept in the cluster itself.

One ConfigMap. Variables are in it as digests, those that all hosts share once; a later run sees which of them changed
for which host, and that nothing did, without asking any host.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import CONFIG_MAP, Json
from .model import Desired
from .problem import NodesError, Problem

NAME = "slipway-cluster"
LABEL_NAME = "slipway.cluster/name"
LABEL_RECORD = "slipway.cluster/record"
_SCHEMA = 1
_MANAGER = "slipway"


@dataclass(frozen=True)
class Host:
    """A host as it was when Kubespray last finished with it. ``variables``: digests by name. ``override``: the name of
    its node, where that is another than its own."""

    roles: frozenset[str]
    address: str
    variables: Mapping[str, str]
    override: str = ""


@dataclass(frozen=True)
class Record:
    """``kubespray`` and ``kubernetes`` are versions without ``v``; ``adopted``: it was not us who built it.

    ``first`` are the hosts that Kubespray treats as the first of their groups, by group.
    """

    name: str
    kubespray: str = ""
    kubernetes: str = ""
    hosts: Mapping[str, Host] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)
    adopted: bool = False

    def with_hosts(self, hosts: Iterable[Desired]) -> Record:
        """These are as the inventory has them now."""
        new = {one.name: Host(one.roles, one.address, dict(one.variables), one.override) for one in hosts}
        return replace(self, hosts={**self.hosts, **new})

    def node(self, host: str) -> str:
        """What the API calls the node of a host."""
        return (self.hosts[host].override if host in self.hosts else "") or host

    def without(self, names: Iterable[str]) -> Record:
        gone = set(names)
        return replace(self, hosts={name: host for name, host in self.hosts.items() if name not in gone})


def to_data(record: Record) -> Json:
    """As plain data."""
    every = [host.variables.items() for host in record.hosts.values()]
    common = dict(set(every[0]).intersection(*every[1:])) if every else {}
    hosts = {
        name: {
            "roles": sorted(host.roles),
            "address": host.address,
            "own": {key: value for key, value in host.variables.items() if common.get(key) != value},
            **({"node": host.override} if host.override else {}),
        }
        for name, host in record.hosts.items()
    }
    return {
        "schema": _SCHEMA,
        "name": record.name,
        "kubespray": record.kubespray,
        "kubernetes": record.kubernetes,
        "first": dict(record.first),
        "adopted": record.adopted,
        "common": common,
        "hosts": hosts,
    }


def dump(record: Record) -> str:
    """As text, in stable order."""
    return json.dumps(to_data(record), sort_keys=True, separators=(",", ":"))


def load(text: str) -> Record:
    """Raises ``NodesError`` SLW-8310 when the text is no record that this version understands."""
    try:
        return from_data(json.loads(text))
    except ValueError as exc:
        raise _unreadable(exc) from exc


def from_data(data: Mapping[str, Any]) -> Record:
    """Raises ``NodesError`` SLW-8310 when this is no record that this version understands."""
    try:
        if data["schema"] != _SCHEMA:
            raise ValueError(f"it has schema {data['schema']}, this version knows {_SCHEMA}")
        hosts = {
            name: Host(
                frozenset(host["roles"]), host["address"], {**data["common"], **host["own"]}, host.get("node", "")
            )
            for name, host in data["hosts"].items()
        }
        return Record(
            name=data["name"],
            kubespray=data["kubespray"],
            kubernetes=data["kubernetes"],
            hosts=hosts,
            first=data["first"],
            adopted=data["adopted"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise _unreadable(exc) from exc


def _unreadable(exc: Exception) -> NodesError:
    problem = Problem(
        "SLW-8310",
        f"the cluster record (ConfigMap {NAME}) cannot be read: {exc}",
        "it was written by another version of the collection, or by hand; use that version, or delete the ConfigMap "
        "and adopt the cluster",
    )
    return NodesError([problem])


class Store:
    """Where the record is kept. ``namespace`` is that of all records."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._path = CONFIG_MAP.path(namespace, NAME)

    def read(self) -> Record | None:
        """None: nobody has built or adopted this cluster yet. Raises ``NodesError`` SLW-8310, and ``KubeError``."""
        try:
            found = self._client.get(self._path)
        except ApiError as exc:
            # In a namespace that is not there a reader has no rights, and there is nothing to be read.
            if exc.status != 403 or self._client.get(f"/api/v1/namespaces/{self._namespace}") is not None:
                raise
            return None
        return load(str((found.get("data") or {}).get("record", ""))) if found else None

    def write(self, record: Record) -> None:
        """Raises ``KubeError``."""
        if self._client.get(f"/api/v1/namespaces/{self._namespace}") is None:
            self._client.apply(f"/api/v1/namespaces/{self._namespace}", self._home(record.name), manager=_MANAGER)
        body: Json = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": NAME,
                "namespace": self._namespace,
                "labels": {LABEL_NAME: record.name, LABEL_RECORD: "cluster"},
            },
            "data": {"record": dump(record)},
        }
        self._client.apply(self._path, body, manager=_MANAGER, force=True)

    def _home(self, name: str) -> dict[str, Any]:
        annotations = {"slipway.cluster/created-by": name}
        return {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self._namespace, "annotations": annotations},
        }
