# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a reader may read, by the records of one ``slipway_name``: the kinds that it owns objects of, and of Secrets
those that it owns, one by one."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import AccessError

_VERBS = ["get", "list", "watch"]
_ALWAYS = {
    # What a plan looks at whatever is installed, and what tells why something is not ready.
    "": ("events", "namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "services"),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "apps": ("replicasets",),
    # What the plan of a removal looks at, beside volumes and services.
    "policy": ("poddisruptionbudgets",),
    "snapshot.storage.k8s.io": ("volumesnapshotcontents",),
}
_REVISIONS = 12
"""Helm's revisions before the current one that may be read: a plan of a rollback looks at them."""


@dataclass
class Readable:
    """``kinds``: plural names by group. ``secrets``: names by namespace."""

    kinds: dict[str, set[str]] = field(default_factory=dict)
    secrets: dict[str, set[str]] = field(default_factory=dict)

    def cluster_rules(self) -> list[dict[str, Any]]:
        return [_rule(group, sorted(plurals)) for group, plurals in sorted(self.kinds.items()) if plurals]

    def rules_of(self, namespace: str, home: str) -> list[dict[str, Any]]:
        """In one namespace; ``home`` is that of the records."""
        rules = [_rule("", ["configmaps"]), _rule("coordination.k8s.io", ["leases"])] if namespace == home else []
        names = self.secrets.get(namespace)
        if names:
            rules.append(
                {"apiGroups": [""], "resources": ["secrets"], "resourceNames": sorted(names), "verbs": ["get"]}
            )
        return rules


def readable(records: Iterable[dict[str, Any]], *, name: str, home: str) -> Readable:
    """``records``: the ConfigMaps. Raises ``AccessError`` SLW-7404 for one that cannot be read."""
    found = Readable({group: set(plurals) for group, plurals in _ALWAYS.items()}, {home: {f"slipway.{name}.key"}})
    for config_map in records:
        record = content_of(config_map)
        for item in record.get("objects") or []:
            group, plural = str(item["group"]), str(item["plural"])
            if (group, plural) == ("", "secrets"):
                found.secrets.setdefault(str(item["namespace"]), set()).add(str(item["name"]))
            else:
                found.kinds.setdefault(group, set()).add(plural)
        last = int(record.get("revision") or 0)
        if last:
            # The next one too: that it is not there yet is what a plan has to know.
            numbers = range(max(1, last - _REVISIONS), last + 2)
            revisions = {f"sh.helm.release.v1.{record['release']}.v{number}" for number in numbers}
            found.secrets.setdefault(str(record["namespace"]), set()).update(revisions)
    return found


def content_of(config_map: dict[str, Any]) -> dict[str, Any]:
    """What a record says. Raises ``AccessError`` SLW-7404."""
    packed = (config_map.get("binaryData") or {}).get("record.json.gz")
    try:
        text = gzip.decompress(base64.b64decode(packed)) if packed else (config_map.get("data") or {})["record.json"]
        return dict(json.loads(text))
    except (KeyError, TypeError, ValueError, OSError, EOFError, zlib.error) as exc:
        where = config_map["metadata"]["name"]
        raise AccessError("SLW-7404", f"record {where} cannot be read, so what a reader may see is not known") from exc


def _rule(group: str, plurals: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": plurals, "verbs": _VERBS}
