# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Helm's storage on the cluster: write a revision, mark older ones, forget a release."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..kube.client import METADATA, Client
from ..kube.errors import ApiError
from ..kube.objects import SECRET, Json
from ..kube.ownership import our_entry
from .desired import MANAGER
from .errors import EngineError
from .model import Addon
from .record import MARKS
from .release import DEPLOYED, FAILED, SUPERSEDED, decode, new_release, release_secret, secret_name, with_status
from .sources.render import Rendered

HISTORY = 10
"""Revisions kept, as Helm's own default."""


class ReleaseStorage:
    """The revisions of one release."""

    def __init__(self, client: Client, name: str, namespace: str, last: int = 0, keep: int = HISTORY) -> None:
        """``last`` is the recorded revision: where Secrets may not be listed, those up to it are looked for.
        ``keep``: how many revisions stay when another one is stored."""
        self._last = last
        self._keep = keep
        self._client = client
        self._name = name
        self._namespace = namespace

    def revisions(self) -> list[Json]:
        """Metadata of the Secrets, oldest first."""
        selector = {"labelSelector": f"owner=helm,name={self._name}"}
        try:
            secrets = self._client.list(SECRET.collection(self._namespace), selector, metadata=True)
        except ApiError as exc:
            if exc.status != 403:
                raise
            numbers = range(max(1, self._last - self._keep), self._last + 2)
            paths = [SECRET.path(self._namespace, secret_name(self._name, number)) for number in numbers]
            secrets = [s for s in (self._client.get(path, accept=METADATA) for path in paths) if s is not None]
        return sorted((s["metadata"] for s in secrets), key=_revision)

    def store(self, addon: Addon, rendered: Rendered, description: str, now: datetime, notes: Mapping[str, str]) -> int:
        """Write the next revision as deployed and supersede the ones before. Returns its number. ``notes`` are our
        annotations of its Secret.

        A revision that Helm left pending or failed is closed as failed, and never taken for the truth.
        """
        before = self.revisions()
        revision = _revision(before[-1]) + 1 if before else 1
        release = new_release(
            addon,
            rendered,
            revision=revision,
            status=DEPLOYED,
            description=description,
            now=now,
            first_deployed=self._first_deployed(before),
        )
        self._put(release, now, notes)
        for metadata in before:
            status = (metadata.get("labels") or {}).get("status", "")
            if status == DEPLOYED:
                self._close(metadata, SUPERSEDED, now)
            elif status.startswith("pending-") or status == "uninstalling":
                self._close(metadata, FAILED, now)
        for metadata in before[: max(0, len(before) + 1 - self._keep)]:
            self._client.delete(SECRET.path(self._namespace, metadata["name"]), uid=metadata["uid"])
        return revision

    def read(self, revision: int) -> Json | None:
        secret = self._client.get(SECRET.path(self._namespace, secret_name(self._name, revision)))
        return decode(secret["data"]["release"]) if secret else None

    def forget(self, *, only_ours: bool = False) -> int:
        """Delete every revision, or those that we wrote. Returns how many there were."""
        known = [m for m in self.revisions() if not only_ours or our_entry(m, MANAGER) is not None]
        for metadata in known:
            self._client.delete(SECRET.path(self._namespace, metadata["name"]), uid=metadata["uid"])
        return len(known)

    def _close(self, metadata: Json, status: str, now: datetime) -> None:
        release = self.read(_revision(metadata))
        if release is not None:
            text = "Superseded by Slipway" if status == SUPERSEDED else "Unfinished, closed by Slipway"
            notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k.startswith(MARKS)}
            self._put(with_status(release, status, text), now, notes)

    def _first_deployed(self, before: list[Json]) -> datetime | None:
        if not before:
            return None
        try:
            release = self.read(_revision(before[-1]))
            stamp = str(((release or {}).get("info") or {}).get("first_deployed", ""))
            return datetime.fromisoformat(stamp) if stamp else None
        except (EngineError, ValueError):
            return None

    def _put(self, release: Json, now: datetime, notes: Mapping[str, str]) -> None:
        body = release_secret(release, now)
        if notes:
            body["metadata"]["annotations"] = dict(notes)
        # Helm's own storage is written whole, whoever wrote it last.
        self._client.apply(SECRET.path(self._namespace, body["metadata"]["name"]), body, manager=MANAGER, force=True)


def _revision(metadata: Json) -> int:
    version = str((metadata.get("labels") or {}).get("version", ""))
    return int(version) if version.isdigit() else 0
