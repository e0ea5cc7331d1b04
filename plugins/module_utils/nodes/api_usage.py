# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who uses which version of Kubernetes' APIs: our releases by their records, others by the API server's count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..kube.client import Client
from ..kube.node.reader_rules import content_of
from ..kube.objects import CONFIG_MAP
from .api_removals import Used

_ASKED = re.compile(r"^apiserver_requested_deprecated_apis\{(?P<labels>[^}]*)\} 1$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Asked:
    """Somebody has asked the API server for this since it started. ``minor``: the first version without it."""

    resource: str
    minor: int


def used_by_record(record: Mapping[str, Any]) -> list[Used]:
    """``record``: of one release, as it is stored."""
    found = []
    for item in record.get("objects") or []:
        group, version = str(item["group"]), str(item["version"])
        by = f"add-on {record.get('addon', '')}: {item['kind']} {item.get('namespace', '')}/{item['name']}"
        found.append(Used(f"{group}/{version}" if group else version, str(item["kind"]), by))
    return found


def used_by_releases(client: Client, *, name: str, namespace: str) -> list[Used]:
    """Of all add-ons of one ``slipway_name``; ``namespace`` is that of the records. Raises ``KubeError``."""
    selector = f"slipway.cluster/name={name},slipway.cluster/record=release"
    records: Iterable[dict[str, Any]] = client.list(CONFIG_MAP.collection(namespace), {"labelSelector": selector})
    return [one for config_map in records for one in used_by_record(content_of(config_map))]


def asked_for(metrics: str) -> list[Asked]:
    """Out of the text of ``/metrics``."""
    found = []
    for line in _ASKED.finditer(metrics):
        labels = dict(_LABEL.findall(line["labels"]))
        removed = labels.get("removed_release", "").split(".")
        if len(removed) == 2 and removed[1].isdigit():
            group = f".{labels['group']}" if labels.get("group") else ""
            found.append(Asked(f"{labels.get('resource', '')}.{labels.get('version', '')}{group}", int(removed[1])))
    return sorted(found, key=lambda one: (one.minor, one.resource))


def asked_of(client: Client) -> list[Asked]:
    """Empty, too, where the metrics may not be read."""
    return asked_for(client.text("/metrics") or "")
