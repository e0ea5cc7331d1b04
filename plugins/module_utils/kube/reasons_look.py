# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the explanations read from the cluster, and when things happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote

from .errors import KubeError
from .readiness_model import Object, items, number, section, words

NEWEST_EVENTS = 3
SHORT_KINDS = {"Pod": "pod", "PersistentVolumeClaim": "PVC"}


class Reader(Protocol):
    """Read-only access to the API. ``path`` begins with ``/api``; what is not there is None."""

    def get(self, path: str, query: dict[str, str] | None = None) -> Object | None:
        """One object."""

    def text(self, path: str, query: dict[str, str] | None = None) -> str | None:
        """A plain text answer."""


class Look:
    """Reads that never fail: an explanation must not hide, by an error of its own, what it explains.

    ``now`` is the server's time. ``refused`` is the first refusal, empty when everything could be read.
    """

    def __init__(self, reader: Reader, now: datetime) -> None:
        self._reader = reader
        self.now = now
        self.refused = ""

    def one(self, path: str) -> Object | None:
        """One object; None when it does not exist, empty when it may not be read."""
        return self._get(path, None)

    def many(self, path: str, **query: str) -> list[Object]:
        return items(self._get(path, query) or {}, "items")

    def last_line(self, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        """The last line that a container wrote, of its previous run if asked for."""
        query = {"container": container, "tailLines": "1"} | ({"previous": "true"} if previous else {})
        try:
            text = self._reader.text(f"/api/v1/namespaces/{namespace}/pods/{quote(pod)}/log", query)
        except KubeError:
            return ""
        lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def age(self, obj: Object) -> str:
        return span(self.now, words(section(obj, "metadata"), "creationTimestamp"))

    def _get(self, path: str, query: dict[str, str] | None) -> Object | None:
        try:
            return self._reader.get(path, query)
        except KubeError as exc:
            self.refused = self.refused or f"no further look: {one_line(exc.message)}"
            return {}


def span(now: datetime, stamp: str) -> str:
    """Time since an API time stamp, as ``40s``, ``5m``, ``3h`` or ``2d``; empty when unknown."""
    if not stamp:
        return ""
    gone = max(now - datetime.fromisoformat(stamp), timedelta(0))
    seconds = int(gone.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@dataclass(frozen=True)
class Trouble:
    """Equal Warning events on one object: ``subject`` names it, ``note`` says how often and how long ago."""

    subject: str
    reason: str
    message: str
    note: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}: {self.message}{self.note}"


def warnings(look: Look, obj: Object, known: Sequence[str] = (), limit: int = NEWEST_EVENTS) -> list[str]:
    """The newest Warning events on one object, as lines, but for those whose message is in ``known`` already.

    The scheduler and the kubelet say most things twice, in the status and as an event.
    """
    said = " ".join(known)
    found = [event for event in _warnings(look, obj) if event.message not in said]
    return [str(event) for event in found[:limit]]


def _warnings(look: Look, obj: Object) -> list[Trouble]:
    """Newest first, equal ones counted together."""
    metadata = section(obj, "metadata")
    name, kind, uid = words(metadata, "name"), words(obj, "kind"), words(metadata, "uid")
    # Events on objects without a namespace are kept in "default".
    namespace = words(metadata, "namespace") or "default"
    selector = f"involvedObject.kind={kind},involvedObject.name={name},type=Warning"
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for event in look.many(f"/api/v1/namespaces/{namespace}/events", fieldSelector=selector):
        if uid and words(section(event, "involvedObject"), "uid") not in ("", uid):
            continue
        key = words(event, "reason"), one_line(words(event, "message"))
        stamp, count = found.get(key, ("", 0))
        found[key] = (max(stamp, _seen(event)), count + _times(event))
    newest = sorted(found.items(), key=lambda entry: entry[1][0], reverse=True)
    subject = f"{SHORT_KINDS.get(kind, kind)} {name}"
    return [Trouble(subject, *key, _note(look.now, stamp, count)) for key, (stamp, count) in newest]


def _seen(event: Object) -> str:
    series = words(section(event, "series"), "lastObservedTime")
    created = words(section(event, "metadata"), "creationTimestamp")
    return series or words(event, "lastTimestamp") or words(event, "eventTime") or created


def _times(event: Object) -> int:
    return number(section(event, "series"), "count") or number(event, "count") or 1


def _note(now: datetime, stamp: str, count: int) -> str:
    parts = [f"{count} times"] if count > 1 else []
    since = span(now, stamp)
    parts += [f"{since} ago"] if since else []
    return f" ({', '.join(parts)})" if parts else ""


def one_line(text: str, width: int = 240) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
