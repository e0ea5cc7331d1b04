# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nodes emptied: cordoned, their pods evicted within their budgets, in batches.

A run that dies leaves cordons that say whose they are: the next one goes on, or takes them back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..kube.client import Client
from .cordon import cordon, is_cordoned, take_out_of_service, uncordon
from .eviction import Answer, delete_finished, evict
from .model import actual
from .pods import Fate, fate, pod_name
from .problem import Problem

Json = dict[str, Any]
Tell = Callable[[str, str, str], None]
"""Node, state, detail. Called from several threads."""

DRAINED, ABSENT, FAILED, NOT_BEGUN = "drained", "absent", "failed", "not begun"
_NAMED = 5


@dataclass(frozen=True)
class Settings:
    """``timeout`` is in seconds, for each node; ``grace`` too, None: as each pod says. ``lost``: nodes whose pods
    without a controller may be deleted. ``unreachable``: nodes where a pod that is told to end counts as gone, as soon
    as they are not ready: then no kubelet lives there. ``keep_cordon``: leave a node cordoned although its drain has
    failed. ``poll`` and ``retry`` are the seconds between two looks, and between two requests to evict a pod that its
    budget keeps."""

    timeout: float = 600.0
    grace: int | None = None
    lost: frozenset[str] = frozenset()
    unreachable: frozenset[str] = frozenset()
    keep_cordon: bool = False
    poll: float = 1.0
    retry: float = 5.0


@dataclass(frozen=True)
class Drained:
    """What became of one node. ``moved`` are pods that were evicted or deleted, ``stayed`` those that belong to it."""

    node: str
    outcome: str
    moved: tuple[str, ...] = ()
    stayed: tuple[str, ...] = ()
    changed: bool = False
    cordoned: bool = False
    problem: Problem | None = None

    def as_dict(self) -> Json:
        return {
            "node": self.node,
            "outcome": self.outcome,
            "moved": list(self.moved),
            "stayed": list(self.stayed),
            "cordoned": self.cordoned,
            "reason": "" if self.problem is None else self.problem.message,
        }


def drain(
    client: Client,
    batches: Sequence[Sequence[str]],
    settings: Settings,
    tell: Tell,
    through: Callable[[], None] = lambda: None,
) -> list[Drained]:
    """One batch after the other; after one with a failure no further begins. ``through`` is called after each, and may
    raise to end it."""
    done: list[Drained] = []
    for number, batch in enumerate(batches):
        with ThreadPoolExecutor(len(batch)) as pool:
            done += pool.map(lambda name: _Drain(client, name, settings, tell).run(), batch)
        if any(one.outcome == FAILED for one in done):
            return done + [Drained(name, NOT_BEGUN) for rest in batches[number + 1 :] for name in rest]
        through()
    return done


def pods_on(client: Client, node: str) -> list[Json]:
    return client.list("/api/v1/pods", {"fieldSelector": f"spec.nodeName={node}"})


def drain_plan(client: Client, names: Sequence[str]) -> list[Drained]:
    """What a drain would move, and what would stay. Reads only."""
    found = []
    nodes = {node["metadata"]["name"]: node for node in client.list("/api/v1/nodes")}
    for name in names:
        if name not in nodes:
            found.append(Drained(name, ABSENT))
            continue
        pods = pods_on(client, name)
        moved = tuple(sorted(pod_name(pod) for pod in pods if not fate(pod).stays))
        stayed = tuple(sorted(pod_name(pod) for pod in pods if fate(pod).stays))
        cordoned = is_cordoned(nodes[name])
        found.append(Drained(name, DRAINED, moved, stayed, bool(moved) or not cordoned, cordoned))
    return found


@dataclass
class _Look:
    """Pods that keep a node from being empty, each with the reason."""

    waiting: dict[str, str] = field(default_factory=dict)
    hopeless: list[str] = field(default_factory=list)


class _Drain:
    def __init__(self, client: Client, name: str, settings: Settings, tell: Tell) -> None:
        self._client = client
        self._name = name
        self._settings = settings
        self._tell = tell
        self._moved: set[str] = set()
        self._again: dict[str, float] = {}
        """By UID of a pod, when to ask again."""
        self._why: dict[str, str] = {}
        self._said = ""
        self._dead = False

    def run(self) -> Drained:
        before = self._client.get(f"/api/v1/nodes/{self._name}")
        if before is None or cordon(self._client, self._name) is None:
            return Drained(self._name, ABSENT)
        newly = not is_cordoned(before)
        self._tell(self._name, "cordoned", "" if newly else "before")
        problem = self._empty()
        stayed = tuple(sorted(pod_name(pod) for pod in pods_on(self._client, self._name) if fate(pod).stays))
        moved = tuple(sorted(self._moved))
        if problem is None:
            self._tell(self._name, DRAINED, f"{len(moved)} pods moved, {len(stayed)} belong to the node")
            return Drained(self._name, DRAINED, moved, stayed, newly or bool(moved), cordoned=True)
        cordoned = True
        if not self._settings.keep_cordon:
            cordoned = uncordon(self._client, self._name) is False
        self._tell(self._name, FAILED, problem.message + ("" if cordoned else "; uncordoned again"))
        return Drained(self._name, FAILED, moved, stayed, bool(moved), cordoned, problem)

    def _empty(self) -> Problem | None:
        """None once nothing is left that has to go."""
        deadline = time.monotonic() + self._settings.timeout
        bare = self._bare()
        if bare:
            return self._problem(f"nobody makes {_listed(bare)} again", f"-e slipway_remove_node_data={self._name}")
        while True:
            look = self._look()
            if look.hopeless:
                return self._problem(_listed(look.hopeless), "nothing more was evicted")
            if not look.waiting:
                return None
            self._progress(look)
            left = deadline - time.monotonic()
            if left <= 0:
                pods = _listed([f"{name} ({why})" for name, why in sorted(look.waiting.items())])
                message = f"after {self._settings.timeout:.0f} s there still is {pods}"
                return self._problem(message, "see to them and run again: what has moved stays moved")
            time.sleep(min(self._settings.poll, left))
            if self._client.guard is not None:
                self._client.guard()

    def _bare(self) -> list[str]:
        if self._name in self._settings.lost:
            return []
        pods = [pod for pod in pods_on(self._client, self._name) if fate(pod) is Fate.BARE]
        return sorted(pod_name(pod) for pod in pods if not pod["metadata"].get("deletionTimestamp"))

    def _see_death(self) -> None:
        """A kubelet that still reports ends its pods itself: told to be gone they would run twice."""
        if self._dead or self._name not in self._settings.unreachable:
            return
        node = self._client.get(f"/api/v1/nodes/{self._name}")
        if node is not None and not actual(node).ready:
            self._dead = True
            # Otherwise its pods end for ever, and whoever waits for them does, too.
            take_out_of_service(self._client, self._name)

    def _look(self) -> _Look:
        self._see_death()
        look = _Look()
        for pod in pods_on(self._client, self._name):
            meta, what = pod["metadata"], fate(pod)
            ending = meta.get("deletionTimestamp")
            if what.stays:
                continue
            if what is Fate.FINISHED:
                if not ending:
                    delete_finished(self._client, pod)
                    self._moved.add(pod_name(pod))
            elif ending:
                self._ending(pod, look)
            else:
                self._ask(pod, look)
        return look

    def _ending(self, pod: Json, look: _Look) -> None:
        """Told to end. Where no kubelet lives nobody will confirm it: the pod goes with its node."""
        if self._dead:
            return
        finalizers = pod["metadata"].get("finalizers") or []
        why = f"ending since {pod['metadata']['deletionTimestamp']}"
        look.waiting[pod_name(pod)] = why + (f", finalizers {', '.join(finalizers)}" if finalizers else "")

    def _ask(self, pod: Json, look: _Look) -> None:
        uid, name = pod["metadata"]["uid"], pod_name(pod)
        if time.monotonic() < self._again.get(uid, 0.0):
            look.waiting[name] = self._why[uid]
            return
        found = evict(self._client, pod, grace=self._settings.grace)
        if found.answer is Answer.NEVER:
            look.hopeless.append(f"{name}: {found.why}")
        elif found.answer in (Answer.BLOCKED, Answer.LATER):
            self._again[uid] = time.monotonic() + self._settings.retry
            self._why[uid] = look.waiting[name] = found.why
        else:
            self._moved.add(name)
            if found.answer is Answer.GOING and not self._dead:
                look.waiting[name] = "ending"

    def _progress(self, look: _Look) -> None:
        """A line when something has changed, not at every look."""
        held = sorted({why for why in look.waiting.values() if not why.startswith("ending")})
        text = f"{len(look.waiting)} pods to go" + (f"; {'; '.join(held)}" if held else "")
        if text != self._said:
            self._said = text
            self._tell(self._name, "draining", text)

    def _problem(self, what: str, remedy: str) -> Problem:
        return Problem("SLW-8421", f"node {self._name} is not drained: {what}", remedy, host=self._name)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
