# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What everything that acts shares: the client, the record store, the events, the threads."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import NAMESPACE, SECRET
from .desired import CREATED_BY, MANAGER
from .errors import ActError
from .masking import Masker
from .observe import Observed, key_name
from .record import LABEL_NAME, LABEL_RECORD, Record, record_path, to_config_map

_TERMINATING = 60.0


@dataclass(frozen=True)
class Event:
    """One state change of an add-on, as progress shows it. ``seconds`` since the add-on's start."""

    addon: str
    state: str
    detail: str = ""
    seconds: float = 0.0


class Store:
    """Writes records; ``namespace`` is where they, the digest key and the lock live."""

    def __init__(self, client: Client, observed: Observed, namespace: str) -> None:
        self._client = client
        self._observed = observed
        self.namespace = namespace

    def ensure_home(self) -> None:
        """The namespace, before the lock that lives in it. Doing it twice changes nothing."""
        known = (self._observed.namespaces or {}).get(self.namespace)
        if known is not None and not known.get("deletionTimestamp"):
            return
        path = NAMESPACE.path("", self.namespace)
        if not self._stands(path):
            body = {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": self.namespace, "annotations": {CREATED_BY: self._observed.name}},
            }
            self._client.apply(path, body, manager=MANAGER)

    def _stands(self, path: str) -> bool:
        """Whether the namespace is there. One that a removal has just left is waited out."""
        deadline = time.monotonic() + _TERMINATING
        while True:
            live = self._client.get(path)
            if live is None or not live["metadata"].get("deletionTimestamp") or time.monotonic() > deadline:
                return live is not None
            time.sleep(0.2)

    def ensure_key(self) -> None:
        """Store the digest key that this run's plan was made with, if the cluster has none yet."""
        if self._observed.new_key is None:
            return
        name = key_name(self._observed.name)
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "labels": {LABEL_NAME: self._observed.name, LABEL_RECORD: "key"},
            },
            "data": {"key": base64.b64encode(self._observed.new_key).decode()},
        }
        try:
            self._client.write("POST", SECRET.collection(self.namespace), body)
        except ApiError as exc:
            if exc.status != 409:
                raise
            there = self._client.get(SECRET.path(self.namespace, name))
            if there is not None and there.get("data") == body["data"]:
                # Our own write, whose answer got lost before the client repeated it.
                return
            raise ActError(
                "SLW-4001", "another run made the digest key in the meantime", "run again: nothing was changed"
            ) from exc

    def save(self, record: Record) -> None:
        observed = self._observed
        body = to_config_map(record, name=observed.name, cluster=observed.uid, namespace=self.namespace)
        path = record_path(observed.name, record.addon, self.namespace)
        self._client.apply(path, body, manager=MANAGER, force=True)

    def drop(self, addon: str) -> None:
        self._client.delete(record_path(self._observed.name, addon, self.namespace))


@dataclass
class Work:
    """One run's hands. ``pool`` is for single objects; add-ons have their own."""

    client: Client
    observed: Observed
    store: Store
    masker: Masker
    emit: Callable[[Event], None]
    pool: ThreadPoolExecutor
    who: str
    secrets: tuple[str, ...] = ()
    """Secret values of the manifest."""
    history_max: int = 10
    """States of an add-on that are kept for a rollback, the one that is live included."""

    def learn(self, secrets: Iterable[str]) -> None:
        """Secret values that came with outputs: from now on they are neither shown nor kept."""
        known = tuple(secrets)
        self.masker.add(known)
        self.secrets = tuple(dict.fromkeys((*self.secrets, *known)))

    def now(self) -> str:
        return self.client.now().strftime("%Y-%m-%dT%H:%M:%SZ")


class Progress:
    """Events of one add-on, with its own clock."""

    def __init__(self, work: Work, addon: str) -> None:
        self._work = work
        self._addon = addon
        self._started = time.monotonic()

    def __call__(self, state: str, detail: str = "") -> None:
        masked = self._work.masker.text(detail)
        self._work.emit(Event(self._addon, state, masked, time.monotonic() - self._started))
