# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Load balancers and volumes taken away before their cluster is, by deleting the objects that stand for them.

A volume goes with its claim, and a claim when no pod uses it; a pod is made again as long as its owner is there. So
what uses a claim goes first, from its topmost owner down. It is looked again until nothing is left: somebody may make
more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..kube.client import Client
from ..kube.discovery import Discovery
from ..kube.errors import ApiError
from ..kube.objects import PV, PVC
from .external import External, externals, hanging, retained
from .pods import claims_of, controller, node_of
from .problem import NodesError

Json = dict[str, Any]
SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents"
_OWNERS_DEEP = 8


@dataclass(frozen=True)
class Outside:
    """``found`` would be orphaned; ``kept`` are volumes whose policy is to stay."""

    found: list[External]
    kept: list[External]
    live: dict[str, Json] = field(default_factory=dict)


def look(client: Client) -> Outside:
    """Reads only. Raises ``KubeError``."""
    services = client.list("/api/v1/services")
    volumes = client.list(PV.collection())
    snapshots = _snapshots(client)
    found = externals(services, volumes, snapshots)
    live = {
        one.uid: obj for one in found for obj in (*services, *volumes, *snapshots) if obj["metadata"]["uid"] == one.uid
    }
    return Outside(found, retained(volumes), {one.path: live[one.uid] for one in found})


class Removal:
    """``timeout`` in seconds, for all of it. ``say`` gets a line for each thing that goes and that is gone."""

    def __init__(self, client: Client, *, timeout: float, say: Callable[[str], None], poll: float = 2.0) -> None:
        self._client = client
        self._timeout = timeout
        self._say = say
        self._poll = poll
        self._asked: set[str] = set()
        self._discovery: Discovery | None = None

    def run(self) -> list[External]:
        """What was there and is gone. Raises ``NodesError`` SLW-8432 with all that hangs, and ``KubeError``."""
        deadline = time.monotonic() + self._timeout
        seen: dict[str, External] = {}
        while True:
            outside = look(self._client)
            here = {one.uid for one in outside.found}
            for uid, one in seen.items():
                if uid not in here and uid in self._asked:
                    self._asked.discard(uid)
                    self._say(f"gone: {one}")
            if not outside.found:
                return sorted(seen.values())
            if time.monotonic() >= deadline:
                raise NodesError(hanging(outside.found, outside.live, self._timeout))
            seen.update({one.uid: one for one in outside.found})
            self._ask(outside)
            time.sleep(self._poll)
            if self._client.guard is not None:
                self._client.guard()

    def _ask(self, outside: Outside) -> None:
        pods: list[Json] | None = None
        for one in outside.found:
            obj = outside.live[one.path]
            if one.uid not in self._asked:
                self._asked.add(one.uid)
                self._say(f"removing: {one}")
            claim = obj["spec"].get("claimRef") if one.kind == "PersistentVolume" else None
            if claim and self._claim_goes(claim):
                pods = self._client.list("/api/v1/pods") if pods is None else pods
                self._free(claim, pods)
            elif claim and (obj.get("status") or {}).get("phase") != "Available":
                # Its claim is gone: its provisioner deletes it.
                continue
            elif one.kind == "VolumeSnapshotContent" and self._snapshot_goes(obj):
                continue
            elif not obj["metadata"].get("deletionTimestamp"):
                self._client.delete(one.path, uid=one.uid)

    def _snapshot_goes(self, content: Json) -> bool:
        """Tells the VolumeSnapshot that holds a content to go. False: there is none."""
        ref = content["spec"].get("volumeSnapshotRef") or {}
        base = SNAPSHOTS.rpartition("/")[0]
        path = f"{base}/namespaces/{ref.get('namespace')}/volumesnapshots/{ref.get('name')}"
        live = self._client.get(path) if ref.get("name") else None
        if live is None or (ref.get("uid") and live["metadata"]["uid"] != ref["uid"]):
            return False
        if not live["metadata"].get("deletionTimestamp"):
            self._client.delete(path, uid=live["metadata"]["uid"])
        return True

    def _claim_goes(self, claim: Json) -> bool:
        """Tells a volume's claim to go. False: it is gone, or is another one of the same name."""
        path = PVC.path(claim["namespace"], claim["name"])
        live = self._client.get(path)
        if live is None or (claim.get("uid") and live["metadata"]["uid"] != claim["uid"]):
            return False
        if not live["metadata"].get("deletionTimestamp"):
            self._client.delete(path, uid=live["metadata"]["uid"])
        return True

    def _free(self, claim: Json, pods: Iterable[Json]) -> None:
        """What uses a claim goes, from the top."""
        for pod in pods:
            meta = pod["metadata"]
            if meta["namespace"] != claim["namespace"] or claim["name"] not in claims_of(pod):
                continue
            for path, uid in self._owners(pod):
                if uid not in self._asked:
                    self._asked.add(uid)
                    what = path.partition("/namespaces/")[2]
                    self._say(f"removing: {what}, which uses the claim {claim['name']}")
                    self._client.delete(path, uid=uid)
            if node_of(pod) and not meta.get("deletionTimestamp") and controller(pod) is None:
                self._client.delete(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", uid=meta["uid"])

    def _owners(self, pod: Json) -> list[tuple[str, str]]:
        """Path and UID of the topmost controller of a pod; empty for a pod without one."""
        obj, top = pod, []
        for _depth in range(_OWNERS_DEEP):
            owner = controller(obj)
            if owner is None:
                break
            if self._discovery is None:
                self._discovery = Discovery.read(self._client)
            resource = self._discovery.find(owner["apiVersion"], owner["kind"])
            if resource is None or resource.kind == "Node":
                break
            path = resource.path(pod["metadata"]["namespace"], owner["name"])
            live = self._client.get(path)
            if live is None or live["metadata"]["uid"] != owner["uid"]:
                break
            obj, top = live, [(path, owner["uid"])]
        return top


def _snapshots(client: Client) -> list[Json]:
    try:
        return client.list(SNAPSHOTS)
    except ApiError as exc:
        if exc.status == 404:
            return []
        raise
