# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Let a batch of nodes in, and wait until they are Ready: by the API alone, and each only for itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.node.accounts import stamp
from ..kube.objects import NODE
from .join_csr import UnreadableError, parse, request
from .join_data import is_address
from .join_late import late, other_address, second_keys
from .join_requests import Batch, Granted, Reason, Verdict, concerns, decide
from .model import Actual, actual
from .problem import NodesError, Problem

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
_AT_ONCE = 8
"""So many requests to the API at the same time."""

_SINGLY = 20
"""Up to so many nodes are asked for one by one; more in one list of the whole cluster."""

Json = dict[str, Any]
Tell = Callable[[str, str, str], None]
"""Node (or request), state, detail."""


@dataclass
class Story:
    """What is known of one node; times are seconds since the wait began, None: not yet."""

    name: str
    asked: float | None = None
    approved: float | None = None
    registered: float | None = None
    ready: float | None = None
    node: Actual | None = None
    denied: list[Verdict] = field(default_factory=list)

    def as_dict(self) -> Json:
        times = {"asked": self.asked, "approved": self.approved, "registered": self.registered, "ready": self.ready}
        rounded = {key: None if at is None else round(at, 2) for key, at in times.items()}
        return {"name": self.name, **rounded, "denied": [one.message for one in self.denied]}


class Arrival:
    """``tell`` gets each step. ``expires`` is when the token's life is over, as the API server writes times. ``poll``
    is the time between two looks, in seconds."""

    def __init__(
        self,
        client: Client,
        batch: Batch,
        tell: Tell,
        *,
        expires: str = "",
        poll: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._batch = batch
        self._tell = tell
        self._expires = expires
        self._poll = poll
        self._clock = clock
        self._sleep = sleep
        self._started = clock()
        self._granted = Granted()
        self._judged: set[str] = set()
        # Its threads begin when there is something to do, and end with this object.
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self.stories = {name: Story(name) for name in batch.nodes}
        self.denied: list[Verdict] = []

    def run(self, timeout: float) -> list[Story]:
        """Once all are Ready. Raises ``NodesError`` SLW-8731 to SLW-8735 that names each one that is not after
        ``timeout`` seconds and what is known of it, and SLW-8724 when two asked for one name; and ``KubeError``."""
        while True:
            if self._client.guard is not None:
                self._client.guard()
            self._decide()
            self._look()
            waiting = [story for story in self.stories.values() if story.ready is None]
            if not waiting or self._now() >= timeout:
                break
            self._sleep(self._poll)
        problems = [late(story, timeout, self._token_ended()) for story in waiting]
        problems += second_keys(self._granted.second)
        problems += self._addresses()
        if problems:
            raise NodesError(problems)
        return list(self.stories.values())

    def _token_ended(self) -> str:
        """Both are in one form, so that text is compared as time is."""
        return self._expires if self._expires and self._expires < stamp(self._client.now()) else ""

    def _now(self) -> float:
        return self._clock() - self._started

    def _decide(self) -> None:
        """About every request that is new, in the order of their names; the answers are written at the same time."""
        fresh = []
        for body in self._client.list(REQUESTS):
            found = request(body)
            if str(body["metadata"]["uid"]) in self._judged or not concerns(found, self._batch):
                continue
            if found.decided:
                # By somebody else. What they let in is in; another key for the same name is not.
                self._judged.add(str(body["metadata"]["uid"]))
                if found.decided == "Approved" and found.user == self._batch.user:
                    self._by_others(found.text)
                continue
            fresh.append((body, found))
        if not fresh:
            return
        # The last look before names are given away.
        missing = [name for name in self._batch.nodes if name not in self._granted.keys]
        existing = {name for name, node in self._nodes(missing).items() if node is not None}
        draft = Granted(dict(self._granted.keys))
        verdicts = []
        for _body, found in fresh:
            verdict = decide(found, self._batch, draft, existing)
            if verdict.approve and verdict.reason is Reason.JOINS and verdict.parsed is not None:
                draft.keys.setdefault(verdict.node, verdict.parsed.key)
            verdicts.append(verdict)
        bodies = [body for body, _found in fresh]
        for body, verdict, written in zip(bodies, verdicts, self._pool.map(self._write, bodies, verdicts), strict=True):
            if written:
                self._judged.add(str(body["metadata"]["uid"]))
                self._note(verdict)

    def _by_others(self, text: str) -> None:
        try:
            asked = parse(text)
        except UnreadableError:
            return
        self._granted.keys.setdefault(asked.name, asked.key)

    def _write(self, body: Json, verdict: Verdict) -> bool:
        """False: the request has changed or is gone, and is looked at again."""
        condition = {
            "type": "Approved" if verdict.approve else "Denied",
            "status": "True",
            "reason": str(verdict.reason),
            "message": verdict.message,
        }
        status = body.get("status") or {}
        decided = {**body, "status": {**status, "conditions": [*(status.get("conditions") or []), condition]}}
        try:
            self._client.write("PUT", f"{REQUESTS}/{verdict.request}/approval", decided)
        except ApiError as exc:
            if exc.status in (404, 409):
                return False
            raise
        return True

    def _note(self, verdict: Verdict) -> None:
        now, story = self._now(), self.stories.get(verdict.node)
        if story is not None and story.asked is None:
            story.asked = now
        if verdict.approve:
            if verdict.reason is Reason.JOINS and verdict.parsed is not None and story is not None:
                self._granted.keys.setdefault(verdict.node, verdict.parsed.key)
                story.approved = now if story.approved is None else story.approved
            self._tell(verdict.node, "approved", verdict.message)
            return
        self.denied.append(verdict)
        if verdict.reason is Reason.SECOND_KEY:
            self._granted.second[verdict.node] = verdict.request
        if story is not None:
            story.denied.append(verdict)
        self._tell(verdict.node or verdict.request, "denied", f"{verdict.code} {verdict.message}")

    def _look(self) -> None:
        """At nodes that were let in and are not Ready yet."""
        names = [name for name in self._granted.keys if name in self.stories and self.stories[name].ready is None]
        for name, body in self._nodes(names).items():
            if body is None:
                continue
            story, node, now = self.stories[name], actual(body), self._now()
            story.node = node
            if story.registered is None:
                story.registered = now
                self._tell(name, "registered", "")
            if node.ready:
                story.ready = now
                self._tell(name, "Ready", "")

    def _nodes(self, names: Sequence[str]) -> dict[str, Json | None]:
        """Those of these names, None where there is none."""
        if len(names) > _SINGLY:
            every = {one["metadata"]["name"]: one for one in self._client.list(NODE.collection())}
            return {name: every.get(name) for name in names}
        return dict(zip(names, self._pool.map(lambda name: self._client.get(NODE.path("", name)), names), strict=True))

    def _addresses(self) -> list[Problem]:
        """Nodes that are there, and not at the address that the inventory has."""
        found = []
        for name, story in self.stories.items():
            wanted, addresses = self._batch.nodes[name], story.node.addresses if story.node else ()
            if addresses and is_address(wanted) and wanted not in addresses:
                found.append(other_address(name, wanted, addresses))
        return found
