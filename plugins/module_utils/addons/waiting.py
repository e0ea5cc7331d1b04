# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Wait until objects are ready, or gone, and say why when they are not.

All add-ons that wait at the same time share one list for each kind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import CRD, NAMESPACE, Json, ObjectId, Resource, crd_resources, is_custom
from ..kube.readiness import RULES, Readiness, State, assess, assess_absent
from ..kube.readiness_others import always
from ..kube.reasons import explain
from .desired import Desired
from .errors import ActError
from .model import Wait
from .record import LABEL_NAME

_STORAGE_CLASS = Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", False)
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_FRESH = 0.8
_FIRST_PAUSE = 0.15
_CRD_PAUSE = 0.3
# A CRD that is not served by then is looked at itself: its conditions say why.
_TRUST_DISCOVERY = 2.0
_LONGEST_PAUSE = 1.0
_TOLD = 5
_OLD_WORD = 2.0


def waited_for(identity: ObjectId) -> bool:
    """Whether this kind can be anything but ready: workloads, claims, CRDs, and custom resources."""
    rule = RULES.get((identity.group, identity.kind))
    if rule is not None:
        return rule is not always
    return is_custom(identity.group)


class Waiter:
    """Shared by all add-ons of a run."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._selector = f"{LABEL_NAME}={name}"
        self._lock = threading.Lock()
        self._locks: dict[Resource, threading.Lock] = {}
        self._seen: dict[Resource, tuple[float, dict[ObjectId, Json]]] = {}
        self._classes: dict[str, str] = {}
        self._established: set[ObjectId] = set()

    def until_ready(
        self, addon: str, desired: Iterable[Desired], wait: Wait, on_wait: Callable[[str], None] = lambda text: None
    ) -> None:
        """All ready at the same look: one that was ready may fail while another is waited for.

        Raises ``ActError`` SLW-4101 (failed) or SLW-4102 (time is up), with reasons."""
        waited = {d.id: d for d in desired if waited_for(d.id)}
        deadline = time.monotonic() + wait.timeout
        # A CRD takes the API server a moment, and each look at it costs more than waiting does.
        pause = _FIRST_PAUSE if any(d.resource != CRD for d in waited.values()) else _CRD_PAUSE
        if waited and pause == _CRD_PAUSE:
            time.sleep(pause)
        told = ""
        since: dict[ObjectId, float] = {}
        began = time.monotonic()
        while waited:
            self._go_on()
            verdicts = self._verdicts(waited, wait, began)
            pending = {i: d for i, d in waited.items() if not verdicts[i].ready}
            if not pending:
                return
            failed = {i: d for i, d in pending.items() if verdicts[i].state is State.FAILED}
            since = {i: since.get(i, time.monotonic()) for i in failed}
            if any(time.monotonic() - since[i] >= fault_grace(i) for i in failed):
                raise self._not_ready("SLW-4101", f"add-on {addon} failed", failed, verdicts)
            if time.monotonic() >= deadline:
                head = f"add-on {addon} is not ready after {wait.timeout} s"
                raise self._not_ready("SLW-4102", head, pending, verdicts)
            text = _waiting_text(pending, verdicts)
            if text != told:
                on_wait(text)
                told = text
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def until_gone(self, objects: dict[str, str], timeout: float) -> dict[str, Json]:
        """Wait for objects (path → uid; an empty uid is any) to be gone. What is still there after ``timeout``
        seconds comes back by path; another object of the same name is not waited for."""
        deadline = time.monotonic() + timeout
        left = dict(objects)
        pause = 0.05
        while True:
            still: dict[str, Json] = {}
            for path, uid in left.items():
                live = self._get(path)
                if live is not None and (not uid or live["metadata"]["uid"] == uid):
                    still[path] = live
            left = {path: left[path] for path in still}
            if not left or time.monotonic() >= deadline:
                return still
            self._go_on()
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _go_on(self) -> None:
        """Waiting ends with the run: what may not write any more has nothing to wait for."""
        if self._client.guard is not None:
            self._client.guard()

    def _get(self, path: str) -> Json | None:
        return self._client.get(path)

    def _verdicts(self, pending: dict[ObjectId, Desired], wait: Wait, began: float) -> dict[ObjectId, Readiness]:
        found: dict[ObjectId, Readiness] = {}
        served = self._served(pending) if time.monotonic() - began < _TRUST_DISCOVERY else set()
        for identity, desired in pending.items():
            if identity in self._established or identity in served:
                self._established.add(identity)
                found[identity] = Readiness(State.READY, "")
                continue
            if desired.resource == CRD and time.monotonic() - began < _TRUST_DISCOVERY:
                found[identity] = Readiness(State.IN_PROGRESS, "not served yet")
                continue
            live = self._live(desired, began)
            found[identity] = (
                assess_absent(desired.body)
                if live is None
                else assess(
                    live,
                    conditions=wait.conditions,
                    load_balancer=wait.load_balancer,
                    binding_mode=self._binding_mode,
                    age=self._age(live),
                )
            )
            if desired.resource in (CRD, NAMESPACE) and found[identity].ready:
                # It does not become less ready, and a look at a CRD costs the API server more than anything else.
                self._established.add(identity)
        return found

    def _served(self, pending: dict[ObjectId, Desired]) -> set[ObjectId]:
        """CRDs whose every version is in discovery: the server takes objects of it. A small answer for all CRDs of a
        group, where one CRD alone may be a megabyte."""
        crds = {i: d for i, d in pending.items() if d.resource == CRD and i not in self._established}
        wanted = {i: {(r.group, r.version, r.plural) for r in crd_resources(d.body)} for i, d in crds.items()}
        there: set[tuple[str, str, str]] = set()
        for group, version in sorted({(group, version) for w in wanted.values() for group, version, _plural in w}):
            answer = self._client.get(f"/apis/{group}/{version}") or {}
            there.update((group, version, str(r.get("name"))) for r in answer.get("resources") or [])
        return {i for i, w in wanted.items() if w and w <= there}

    def _age(self, live: Json) -> float | None:
        """Seconds since the creation, both by the server's clock."""
        created = live["metadata"].get("creationTimestamp")
        return (self._client.now() - datetime.fromisoformat(created)).total_seconds() if created else None

    def _live(self, desired: Desired, began: float) -> Json | None:
        if desired.resource == CRD or desired.bare:
            # A list of CRDs is megabytes, and most of it has nothing to do with us; a bare namespace is in no list of
            # ours, because several add-ons may share it.
            return self._client.get(desired.path)
        live = self._list(desired.resource, began).get(desired.id)
        return self._client.get(desired.path) if live is None else live

    def _list(self, resource: Resource, began: float) -> dict[ObjectId, Json]:
        """Shared with others that wait, but never a list from before ``began``: it would not show our last write."""
        with self._lock:
            lock = self._locks.setdefault(resource, threading.Lock())
        with lock:
            when, seen = self._seen.get(resource, (0.0, {}))
            asked = time.monotonic()
            if when < began or asked - when > _FRESH:
                try:
                    items = self._client.list(resource.collection(), {"labelSelector": self._selector})
                except ApiError as exc:
                    if exc.status not in (403, 404):
                        raise
                    items = []
                seen = {_identity(resource, item): item for item in items}
                self._seen[resource] = (asked, seen)
            return seen

    def _binding_mode(self, name: str) -> str | None:
        """None: not known, or not allowed to know. A class may arrive in this very run."""
        with self._lock:
            if name in self._classes:
                return self._classes[name]
        try:
            items = self._client.list(_STORAGE_CLASS.collection())
        except ApiError as exc:
            if exc.status != 403:
                raise
            return None
        found: dict[str, str] = {}
        for item in items:
            mode = str(item.get("volumeBindingMode") or "Immediate")
            found[item["metadata"]["name"]] = mode
            if (item["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
                found[""] = mode
        with self._lock:
            self._classes = found
        return found.get(name)

    def _not_ready(
        self, code: str, head: str, pending: dict[ObjectId, Desired], verdicts: dict[ObjectId, Readiness]
    ) -> ActError:
        lines = []
        for identity in sorted(pending)[:_TOLD]:
            lines.append(f"{identity}: {verdicts[identity].message or verdicts[identity].state.value}")
            live = self._get(pending[identity].path)
            if live is not None:
                lines += [f"  {line}" for line in explain(self._client, live, self._client.now())]
        if len(pending) > _TOLD:
            lines.append(f"and {len(pending) - _TOLD} more")
        return ActError(code, "\n    ".join([head + ":", *lines]))


def fault_grace(identity: ObjectId) -> float:
    """Seconds that a fault must last. Of the built-in kinds it is the controller's last word; a custom resource may
    still show what its operator said of the version before."""
    return 0.0 if (identity.group, identity.kind) in RULES else _OLD_WORD


def _identity(resource: Resource, item: Json) -> ObjectId:
    meta = item["metadata"]
    return ObjectId(resource.group, resource.kind, meta.get("namespace", ""), meta["name"])


def _waiting_text(pending: dict[ObjectId, Desired], verdicts: dict[ObjectId, Readiness]) -> str:
    first = min(pending)
    rest = f" and {len(pending) - 1} more" if len(pending) > 1 else ""
    return f"{first}{rest}: {verdicts[first].message}"


def stuck_lines(client: Client, left: Sequence[Json]) -> list[str]:
    """Why objects do not go away: their finalizers and who set them."""
    lines = []
    for live in left[:_TOLD]:
        meta = live["metadata"]
        where = f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"]
        why = explain(client, live, client.now())
        lines += [f"{live.get('kind')} {where}: {line}" for line in why] or [f"{live.get('kind')} {where}"]
    if len(left) > _TOLD:
        lines.append(f"and {len(left) - _TOLD} more")
    return lines
