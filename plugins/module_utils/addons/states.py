# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The states of an add-on that can be gone back to, whatever keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Union

from ..kube.client import Client
from .errors import EngineError
from .observe import Observed, in_parallel
from .record import Record, ReleaseState
from .release import DEPLOYED, SUPERSEDED, Release
from .revisions import Entry, Revisions
from .storage import ReleaseStorage
from .stored import Note, read_note, same_state

Kept = Union[Release, Entry]


@dataclass(frozen=True)
class State:
    """One revision. ``status`` as Helm calls it; ``kept`` is None where it cannot be read."""

    number: int
    status: str
    version: str = ""
    when: str = ""
    kept: Kept | None = field(default=None, repr=False)
    note: Note | None = None
    """What our run noted about a release of Helm's."""

    def __str__(self) -> str:
        return f"{self.number:>3}  {self.version or '-':<12}  {self.when:<20}  {self.status}".rstrip()


def states_of(client: Client, observed: Observed, record: Record, namespace: str) -> list[State]:
    """All of them, oldest first."""
    return _releases(client, record) if record.source == "chart" else _entries(client, observed, record, namespace)


def current_of(record: Record, states: Iterable[State]) -> int:
    """The revision that is live. Of a release that Helm has moved since, it is Helm's."""
    known = record.revision if record.source == "chart" else record.history
    return max([known, *(state.number for state in states if state.status == DEPLOYED)])


def choose(record: Record, states: Sequence[State], number: int) -> State | None:
    """The state with this number; for 0 the newest one that differs from what is live.

    After a run that did not end, what is live is no state at all: then it is the last that was reached.
    """
    if number:
        return next((state for state in states if state.number == number), None)
    live = current_of(record, states)
    reached = [s for s in reversed(states) if s.kept is not None and s.status in (DEPLOYED, SUPERSEDED)]
    if record.state is not ReleaseState.APPLIED:
        return next((state for state in reached if state.number <= live), None)
    now = next((state.kept for state in states if state.number == live), None)
    return next((s for s in reached if s.number < live and not _same(now, s.kept)), None)


def _same(one: Kept | None, other: Kept | None) -> bool:
    if isinstance(one, Entry) and isinstance(other, Entry):
        return one.content == other.content
    return isinstance(one, dict) and isinstance(other, dict) and same_state(one, other)


def _releases(client: Client, record: Record) -> list[State]:
    storage = ReleaseStorage(client, record.release, record.namespace, record.revision)

    def read(metadata: Release) -> State:
        labels = metadata.get("labels") or {}
        number, status = int(labels.get("version") or 0), str(labels.get("status") or "")
        try:
            release = storage.read(number) or {}
        except EngineError:
            return State(number, f"{status}, cannot be read")
        about = (release.get("chart") or {}).get("metadata") or {}
        when = str((release.get("info") or {}).get("last_deployed") or "")
        return State(number, status, str(about.get("version") or ""), _second(when), release, read_note(metadata))

    return in_parallel(read, storage.revisions())


def _entries(client: Client, observed: Observed, record: Record, namespace: str) -> list[State]:
    entries = Revisions(client, observed, namespace, record.addon).entries()
    return [
        State(
            entry.number,
            DEPLOYED if entry.number == record.history else SUPERSEDED,
            when=entry.when,
            kept=entry,
        )
        for entry in entries
    ]


def _second(time: str) -> str:
    """Helm writes fractions of seconds and any time zone; we write neither."""
    try:
        return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return time
