# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Carry out one smoke check: make its objects, wait until all is as expected, and say why when it is not."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

from ...kube.client import Client
from ...kube.discovery import Discovery
from ...kube.errors import ApiError
from ...kube.objects import Json, ObjectId
from ...kube.readiness import State, assess, assess_absent
from ...kube.reasons import explain
from ..desired import MANAGER
from ..errors import ActError
from ..model import Addon, SmokeCheck
from ..waiting import fault_grace
from .look import Kinds, Looker, Miss, identity_of
from .scratch import scratch

_LONGEST_PAUSE = 1.0
_TOLD = 5


class Smoke:
    """Checks of one ``slipway_name`` (``owner``). ``tell`` is called with what is waited for when that changes."""

    def __init__(self, client: Client, discovery: Discovery, owner: str) -> None:
        self._client = client
        self._kinds = Kinds(client, discovery)
        self._owner = owner

    def run(self, addon: Addon, check: SmokeCheck, tell: Callable[[str], None] = lambda text: None) -> None:
        """Raises ``ActError`` SLW-4701 (not as expected) or SLW-4702 (it could not be tried), with reasons."""
        attempt = _Attempt(self._client, self._kinds, addon, check, tell)
        if not check.objects:
            attempt.wait("")
            return
        try:
            with scratch(self._client, self._owner, addon.name) as namespace:
                attempt.make(namespace)
                attempt.wait(namespace)
        except ApiError as exc:
            if exc.status != 403:
                raise
            raise attempt.impossible(exc.api_message) from exc


class _Attempt:
    def __init__(
        self, client: Client, kinds: Kinds, addon: Addon, check: SmokeCheck, tell: Callable[[str], None]
    ) -> None:
        self._client = client
        self._kinds = kinds
        self._addon = addon
        self._check = check
        self._tell = tell
        self._deadline = time.monotonic() + check.timeout
        self._made: dict[ObjectId, str] = {}
        self._bodies: dict[ObjectId, Json] = {}

    @property
    def _head(self) -> str:
        return f"smoke check {self._check.capability} of add-on {self._addon.name}"

    def impossible(self, why: str) -> ActError:
        advice = f"leave it out: smoke: {{{self._check.capability}: {{enabled: false}}}}, or -e slipway_smoke=false"
        return ActError("SLW-4702", f"{self._head} could not be made: {why}", advice)

    def make(self, namespace: str) -> None:
        for body in self._check.objects:
            self._make(copy.deepcopy(body), namespace)

    def _make(self, body: Json, namespace: str) -> None:
        """What passes by itself is waited for: an API that has just arrived, a webhook that starts up."""
        identity = identity_of(body, namespace)
        body["metadata"]["namespace"] = namespace
        pause = 0.05
        while True:
            resource = self._kinds.exactly(str(body["apiVersion"]), str(body["kind"]))
            if resource is not None and not resource.namespaced:
                raise self.impossible(f"{identity.kind} {identity.name} would be there for the whole cluster")
            why = f"nobody serves {body['apiVersion']} {body['kind']}"
            if resource is not None:
                path = resource.path(namespace, identity.name)
                try:
                    self._client.apply(path, body, manager=MANAGER)
                except ApiError as exc:
                    why = f"{identity.kind} {identity.name} was refused: {exc.api_message}"
                    if exc.status != 404 and not exc.webhook_unavailable:
                        raise self.impossible(why) from exc
                else:
                    self._made[identity] = path
                    self._bodies[identity] = body
                    return
            if time.monotonic() >= self._deadline:
                raise self.impossible(why)
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def wait(self, namespace: str) -> None:
        looker = Looker(self._client, self._kinds, self._made, self._addon.namespace)
        pause, told = 0.05, ""
        since: dict[str, float] = {}
        while True:
            if self._client.guard is not None:
                self._client.guard()
            misses = [*self._unready(), *(miss for wish in self._check.ready if (miss := looker.look(wish)))]
            if not misses:
                return
            now = time.monotonic()
            since = {miss.subject: since.get(miss.subject, now) for miss in misses if miss.fault is not None}
            faults = [m for m in misses if m.fault is not None and now - since[m.subject] >= m.fault]
            if faults:
                raise self._failed("failed", faults, namespace)
            if now >= self._deadline:
                raise self._failed(f"did not pass within {self._check.timeout} s", misses, namespace)
            text = f"{self._check.capability}: {misses[0].subject}: {misses[0].message}"
            if text != told:
                self._tell(text)
                told = text
            time.sleep(min(pause, max(0.0, self._deadline - now)))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _unready(self) -> list[Miss]:
        """Temporary objects that are not ready by the rule of their kind."""
        found = []
        for identity, path in self._made.items():
            live = self._client.get(path)
            verdict = assess_absent(self._bodies[identity]) if live is None else assess(live)
            if not verdict.ready:
                fault = fault_grace(identity) if verdict.state is State.FAILED else None
                found.append(Miss(str(identity), verdict.message or verdict.state.value, live, fault))
        return found

    def _failed(self, how: str, misses: list[Miss], namespace: str) -> ActError:
        lines: list[str] = []
        for miss in misses[:_TOLD]:
            lines.append(f"{miss.subject}: {miss.message}")
            if miss.live is not None:
                reasons = [f"  {line}" for line in explain(self._client, miss.live, self._client.now())]
                lines += [line for line in reasons if line not in lines]
        if len(misses) > _TOLD:
            lines.append(f"and {len(misses) - _TOLD} more")
        if namespace:
            lines.append(f"its namespace {namespace} is removed; the add-on's own objects stay")
        return ActError("SLW-4701", "\n    ".join([f"{self._head} {how}:", *lines]))
