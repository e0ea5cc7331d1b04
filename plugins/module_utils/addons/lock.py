# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One Lease for each cluster: who works on it, since when, and until when that claim holds.

Times are the API server's: two controllers' clocks may differ. A run that cannot renew stops before its next
write, and one that dies is followed when the Lease has run out; nothing has to be cleaned up by hand.
"""

from __future__ import annotations

import math
import os
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ..kube.client import Client
from ..kube.errors import ApiError, KubeError, StoppedError
from ..kube.objects import LEASE, Json
from ..kube.whoami import identity
from .errors import LockError

NAME = "slipway"
"""One for the cluster, not for each ``slipway_name``: two names may share namespaces and CRDs."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lock: ``since`` and ``expires`` as ISO times, ``remaining`` in seconds (negative: expired)."""

    identity: str
    operation: str
    since: str
    remaining: float

    def __str__(self) -> str:
        return f"{self.identity} holds the lock since {self.since} ({self.operation})"


class Lock:
    """``duration`` is the Lease's life in seconds; it is renewed at a third of it."""

    def __init__(
        self,
        client: Client,
        *,
        namespace: str,
        operation: str,
        duration: float,
        alive: Callable[[], bool],
    ) -> None:
        self._client = client
        self._path = LEASE.path(namespace, NAME)
        self._collection = LEASE.collection(namespace)
        self._meta: Json = {"name": NAME, "namespace": namespace}
        self._operation = operation
        self._duration = max(2, int(duration))
        self._alive = alive
        self.identity = identity(os.getpid(), uuid.uuid4().hex[:6])
        self._version = ""
        self._since = ""
        self._valid_until = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def check_alive(self) -> None:
        """The gate before the lock is held. Raises ``StoppedError`` when nobody waits for this work any more."""
        if not self._alive():
            raise StoppedError("SLW-6103", "the run that started this work has ended; nothing more is written")

    def check(self) -> None:
        """The gate before every write. Raises ``StoppedError`` when the claim cannot be proved any more."""
        self.check_alive()
        if time.monotonic() >= self._valid_until:
            raise StoppedError("SLW-6103", "the lock could not be renewed in time; nothing more is written")

    def acquire(self, wait: float, on_wait: Callable[[Holder], None]) -> None:
        """Take the lock, waiting at most ``wait`` seconds for another holder. Raises ``LockError``."""
        deadline = time.monotonic() + wait
        told = ""
        while True:
            holder = self._try()
            if holder is None:
                break
            if time.monotonic() >= deadline:
                raise LockError(
                    "SLW-6001",
                    str(holder),
                    f"set slipway_lock_wait to wait; without renewal it ends in {max(0, holder.remaining):.0f} s",
                )
            if holder.identity != told:
                on_wait(holder)
                told = holder.identity
            time.sleep(min(1.0, max(0.1, holder.remaining), max(0.0, deadline - time.monotonic())))
            self.check_alive()
        self._thread = threading.Thread(target=self._renew_until_stopped, name="slipway-lock", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Give it back. A failure is no error: the Lease ends by itself."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if not self._version or not self._alive():
            return
        body = self._body(holder="")
        body["spec"]["leaseDurationSeconds"] = 1
        try:
            self._client.write("PUT", self._path, body, patience=5.0)
        except KubeError:
            return
        finally:
            self._version = ""

    def forget(self) -> None:
        """The Lease itself was deleted: stop renewing, and make no new one. There is nothing left to prove by it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._valid_until = math.inf
        self._version = ""

    def _body(self, holder: str) -> Json:
        now = _stamp(self._client.now())
        self._since = self._since or now
        meta = dict(self._meta)
        if self._version:
            meta["resourceVersion"] = self._version
        meta["annotations"] = {"slipway.cluster/operation": self._operation}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": meta,
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": self._duration,
                "acquireTime": self._since,
                "renewTime": now,
            },
        }

    def _try(self) -> Holder | None:
        started = time.monotonic()
        lease = self._client.get(self._path)
        try:
            if lease is None:
                self._accept(self._client.write("POST", self._collection, self._body(self.identity)), started)
                return None
            holder = _holder(lease, self._client.now())
            if holder is not None and holder.identity != self.identity and holder.remaining > 0:
                return holder
            self._version = lease["metadata"]["resourceVersion"]
            self._accept(self._client.write("PUT", self._path, self._body(self.identity)), started)
            return None
        except ApiError as exc:
            if exc.status != 409:
                raise
            if self._is_ours_already(started):
                return None
            self._version = ""
            return Holder("another run", "starting", "just now", 1.0)

    def _is_ours_already(self, started: float) -> bool:
        """After a conflict: it was our own write, whose answer got lost before the client repeated it."""
        lease = self._client.get(self._path)
        if lease is None or (lease.get("spec") or {}).get("holderIdentity") != self.identity:
            return False
        self._accept(lease, started)
        return True

    def _accept(self, lease: Json, started: float) -> None:
        """``started``: before the request was sent. We stop a little before others may begin: their idea of the
        server's time is not exactly ours."""
        self._version = lease["metadata"]["resourceVersion"]
        self._valid_until = started + self._duration - min(1.0, self._duration / 4)

    def _renew_until_stopped(self) -> None:
        while not self._stop.wait(self._duration / 3):
            started = time.monotonic()
            try:
                lease = self._client.write("PUT", self._path, self._body(self.identity), patience=self._duration / 3)
                self._accept(lease, started)
            except StoppedError:
                return
            except KubeError as exc:
                if isinstance(exc, ApiError) and exc.status == 409 and not self._still_ours(started):
                    return

    def _still_ours(self, started: float) -> bool:
        try:
            if self._is_ours_already(started):
                return True
        except KubeError:
            # Not known: the proof that we have runs out by itself.
            return True
        # Somebody took it over: our proof ends now, not when it would have run out.
        self._valid_until = 0.0
        return False


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _holder(lease: Json, now: datetime) -> Holder | None:
    spec = lease.get("spec") or {}
    identity = spec.get("holderIdentity")
    if not identity:
        return None
    if not spec.get("renewTime"):
        return None
    renewed = datetime.fromisoformat(str(spec["renewTime"]))
    remaining = spec.get("leaseDurationSeconds", 0) - (now - renewed).total_seconds()
    operation = ((lease.get("metadata") or {}).get("annotations") or {}).get("slipway.cluster/operation", "")
    return Holder(str(identity), str(operation), str(spec.get("acquireTime", ""))[:19] + "Z", remaining)
