# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From a kept state to what would be applied: as if its source had been rendered once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..kube.client import Client
from ..kube.objects import Json, ObjectId, object_id
from .desired import prepare
from .errors import FindingsError
from .finding import Finding, Position
from .masking import MASK, Masker, secret_strings
from .model import JSON, Addon, ChartSource, KustomizeSource, ManifestsSource, ObjectsSource, RemovePolicy, Source
from .observe import Observed, in_parallel
from .record import Record
from .release import Release
from .rendering import Rendering
from .revisions import Entry
from .sources.context import Rendered
from .states import State
from .stored import Note, at, hidden_of, rendered_of
from .withheld import Restored, is_secret, restore

_EMPTY: Mapping[str, Source] = {
    "chart": ChartSource(),
    "kustomize": KustomizeSource(""),
    "manifests": ManifestsSource(()),
    "objects": ObjectsSource(()),
}
OPTION = Position("option slipway_rollback")


def refused(name: str, code: str, message: str, advice: str = "") -> Finding:
    """A finding about what ``slipway_rollback`` says of one add-on."""
    return Finding(code, message, ("slipway_rollback", name), OPTION, advice=advice)


class Restorer:
    """``addons`` are the manifest's. ``secrets`` are known today, and learn those of the states that are read."""

    def __init__(self, client: Client, observed: Observed, addons: Mapping[str, Addon], secrets: Masker) -> None:
        self._client = client
        self._observed = observed
        self._addons = addons
        self._secrets = secrets

    def work(self, record: Record, state: State) -> Rendering:
        """Raises ``FindingsError`` SLW-3403, SLW-3404, and the errors of reading a release's text (SLW-2xxx)."""
        if isinstance(state.kept, Entry) and state.kept.objects is not None:
            return self._own(record, state.kept, state.kept.objects)
        if isinstance(state.kept, dict) and state.kept.get("manifest") is not None:
            return self._release(record, state.kept, state.note)
        why = "its objects were too large to be kept" if isinstance(state.kept, Entry) else "it cannot be read"
        message = f"revision {state.number} cannot be gone back to: {why}"
        raise FindingsError([refused(record.addon, "SLW-3404", message, "write that state into the manifest")])

    def _release(self, record: Record, release: Release, note: Note | None) -> Rendering:
        """From Helm's storage, secrets included: what was applied then is applied again."""
        values: dict[str, JSON] = release.get("config") or {}
        hidden = note.hidden if note else hidden_of(values, record.values)
        secret = [at(values, path) for path in hidden if note or MASK in str(at(record.values, path))]
        self._secrets.add(str(value) for value in secret if value is not None)
        addon = replace(self._addon(record), values=values, secret_paths=frozenset(hidden))
        # Without a note nobody knows what this was made of: the next look at the manifest has to find it changed.
        unknown = ["rolled back", record.addon, release.get("version"), record.inputs]
        inputs = note.inputs if note else self._observed.digester.of(unknown)
        return self._prepared(addon, inputs, rendered_of(release, gated=record.gated))

    def _own(self, record: Record, entry: Entry, kept: tuple[Json, ...]) -> Rendering:
        """From our own history, with the secrets of today."""
        live = in_parallel(self._live, kept)
        for obj in live:
            if obj is not None and is_secret(obj):
                self._secrets.add(secret_strings(obj))
        restored = [
            restore(body, there, self._secrets, self._observed.digester) for body, there in zip(kept, live, strict=True)
        ]
        incomplete = [(body, one) for body, one in zip(kept, restored, strict=True) if one.missing]
        # Texts may only be incomplete because a Secret is.
        cause = [(body, one) for body, one in incomplete if is_secret(body)] or incomplete
        if cause:
            gone = {str(object_id(body)) for body, there in zip(kept, live, strict=True) if there is None}
            raise FindingsError(_withheld(record.addon, entry.number, object_id(b), one, gone) for b, one in cause)
        addon = replace(self._addon(record), values=entry.values, secret_paths=frozenset())
        objects = tuple(one.body for one in restored)
        work = self._prepared(addon, entry.inputs, Rendered(objects=objects, identity=""))
        work.notes += [f"{object_id(body)}: its data stays what it is today" for body in kept if is_secret(body)]
        work.notes += [
            f"{object_id(one.body)}: {path} is secret, so it is not kept and stays what it is today"
            for one in restored
            for path in one.todays
        ]
        return work

    def _prepared(self, addon: Addon, inputs: str, rendered: Rendered) -> Rendering:
        desired = prepare(addon, rendered, self._observed.discovery, self._observed.name)
        return Rendering(addon, rendered.identity, inputs, rendered, is_upgrade=True, desired=desired)

    def _live(self, body: Json) -> Json | None:
        resource = self._observed.discovery.find(str(body["apiVersion"]), str(body["kind"]))
        meta = body["metadata"]
        path = resource.path(str(meta.get("namespace") or ""), str(meta["name"])) if resource else ""
        return self._client.get(path) if path else None

    def _addon(self, record: Record) -> Addon:
        """As the manifest has it, where it has it; where it is installed, and never adopting anything."""
        known = self._addons.get(record.addon)
        empty = _EMPTY.get(record.source, ObjectsSource(()))
        if known is None:
            return Addon(
                record.addon,
                empty,
                record.namespace,
                record.release,
                position=OPTION,
                provides=record.provides,
                requires=record.requires,
                depends=record.depends,
                remove=RemovePolicy(record.remove_first, record.remove_timeout),
                protected=record.protected,
                store_values=record.store_values,
            )
        return replace(
            known,
            source=known.source if type(known.source) is type(empty) else empty,
            namespace=record.namespace,
            release=record.release,
            adopt=False,
            origins={},
            # What it says was said then: nothing is to be asked of other add-ons, or to be waited for.
            outputs={},
            unknown=(),
        )


def _withheld(name: str, number: int, identity: ObjectId, one: Restored, gone: set[str]) -> Finding:
    what = f"{identity} is gone"
    if str(identity) not in gone:
        what = f"{identity} no longer has {', '.join(sorted(one.missing))}"
    message = f"revision {number} needs secret values, which are never kept, and {what}"
    return refused(name, "SLW-3403", message, "make it again by hand, or go on from the manifest")
