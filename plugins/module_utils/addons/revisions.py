# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What was applied before, so that it can be gone back to: Helm's storage for charts, a history of our own for others.

An entry is a ConfigMap beside the record. It holds objects without their secret values, and nothing but a rollback
reads it: a run that changes nothing does not even list it.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import asdict, dataclass, field, replace

from ..kube.client import Client
from ..kube.objects import CONFIG_MAP, Json, is_crd
from .desired import MANAGER, Desired
from .masking import Masker, rendered_secrets, secret_strings
from .model import JSON, ChartSource
from .observe import Observed
from .plan import Action, AddonPlan
from .record import LABEL_ADDON, LABEL_NAME, LABEL_RECORD, Record
from .storage import ReleaseStorage
from .stored import as_applied, note_of
from .withheld import withhold
from .work import Work

SCHEMA = 1
_LABEL_REVISION = "slipway.cluster/revision"
_FILE = "entry.json.gz"
_ROOM = 900_000
"""Bytes of compressed objects that are kept: the API server takes 1 MiB in a ConfigMap."""


@dataclass(frozen=True)
class Entry:
    """One state that was applied. ``objects`` are as applied, CRDs and secret values left out; None: too large to keep.
    ``content`` is a keyed digest of them, secret values included."""

    number: int
    inputs: str
    what: str
    who: str
    when: str
    content: str = ""
    values: dict[str, JSON] = field(default_factory=dict)
    objects: tuple[Json, ...] | None = ()


class Revisions:
    """The entries of one add-on; ``namespace`` is that of the records."""

    def __init__(self, client: Client, observed: Observed, namespace: str, addon: str) -> None:
        self._client = client
        self._observed = observed
        self._namespace = namespace
        self._addon = addon

    def entries(self) -> list[Entry]:
        """All that can be read, oldest first."""
        found = [self._parsed(item) for item in self._client.list(self._collection, self._selector)]
        return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.number)

    def write(self, entry: Entry, most: int) -> None:
        """Keep ``entry`` and the ``most - 1`` before it. Doing it twice changes nothing."""
        path = CONFIG_MAP.path(self._namespace, self._name(entry.number))
        self._client.apply(path, self._config_map(entry), manager=MANAGER, force=True)
        if entry.number > most:
            self._drop(entry.number - most)

    def forget(self) -> None:
        """Every entry goes."""
        self._drop()

    def _drop(self, newest: int | None = None) -> None:
        """All entries, or those up to the number ``newest``."""
        for item in self._client.list(self._collection, self._selector, metadata=True):
            number = str((item["metadata"].get("labels") or {}).get(_LABEL_REVISION, ""))
            if newest is None or (number.isdigit() and int(number) <= newest):
                self._client.delete(CONFIG_MAP.path(self._namespace, item["metadata"]["name"]))

    @property
    def _collection(self) -> str:
        return CONFIG_MAP.collection(self._namespace)

    @property
    def _selector(self) -> dict[str, str]:
        labels = self._labels()
        return {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())}

    def _labels(self) -> dict[str, str]:
        return {LABEL_NAME: self._observed.name, LABEL_ADDON: self._addon, LABEL_RECORD: "history"}

    def _name(self, number: int) -> str:
        return f"slipway.{self._observed.name}.{self._addon}.r{number}"

    def _config_map(self, entry: Entry) -> Json:
        data = self._packed(entry)
        if len(data) > _ROOM:
            data = self._packed(replace(entry, objects=None))
        labels = {**self._labels(), _LABEL_REVISION: str(entry.number)}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self._name(entry.number), "namespace": self._namespace, "labels": labels},
            "binaryData": {_FILE: base64.b64encode(data).decode()},
        }

    def _packed(self, entry: Entry) -> bytes:
        body = {"schema": SCHEMA, "cluster": self._observed.uid, **asdict(entry)}
        return gzip.compress(json.dumps(body, separators=(",", ":"), sort_keys=True).encode(), mtime=0)

    def _parsed(self, item: Json) -> Entry | None:
        """None: of another schema, restored from another cluster, or damaged. It cannot be gone back to."""
        try:
            body = json.loads(gzip.decompress(base64.b64decode((item.get("binaryData") or {})[_FILE])))
            if body.pop("schema") != SCHEMA or body.pop("cluster") != self._observed.uid:
                return None
            objects = body.pop("objects")
            return Entry(**body, objects=None if objects is None else tuple(objects))
        except (KeyError, TypeError, ValueError, OSError, EOFError, zlib.error):
            return None


def remember(work: Work, plan: AddonPlan, record: Record) -> Record:
    """Store the state that has just been applied. Returns the record with the number that it got."""
    record = replace(record, rolled_back=plan.rollback_to)
    if isinstance(plan.wanted.source, ChartSource):
        return replace(record, revision=_release(work, plan, record))
    known = plan.record is not None and plan.record.history > 0 and plan.record.inputs == plan.inputs
    if known and plan.action is not Action.ROLLBACK:
        # Put in order again, or taken up after a death: it is the state that stands there already.
        return record
    number = record.history + 1
    entry = _entry(work, plan, number)
    Revisions(work.client, work.observed, work.store.namespace, plan.name).write(entry, work.history_max)
    return replace(record, history=number)


def _release(work: Work, plan: AddonPlan, record: Record) -> int:
    addon = plan.wanted
    storage = ReleaseStorage(work.client, addon.release, addon.namespace, record.revision, keep=work.history_max)
    rendered = as_applied(plan.output, _applied(plan), addon.namespace)
    text = f"{'Upgrade' if record.revision else 'Install'} complete (Slipway)"
    if plan.rollback_to:
        text = f"Rollback to {plan.rollback_to}"
    notes = note_of(plan.inputs, plan.shown_values)
    return storage.store(addon, rendered, text, work.client.now(), notes)


def _entry(work: Work, plan: AddonPlan, number: int) -> Entry:
    # What this add-on alone makes secret: the next run of it hides the same, whatever else is installed.
    masker = Masker(work.secrets)
    for obj in rendered_secrets(plan.output):
        masker.add(secret_strings(obj))
    digester = work.observed.digester
    bodies = [item.body for item in _applied(plan) if not item.bare and not is_crd(item.body)]
    return Entry(
        number=number,
        inputs=plan.inputs,
        what=f"rollback to {plan.rollback_to}" if plan.rollback_to else plan.action.value,
        who=work.who,
        when=work.now(),
        content=digester.of(bodies),
        values=plan.shown_values,
        objects=tuple(withhold(body, masker, digester) for body in bodies),
    )


def _applied(plan: AddonPlan) -> list[Desired]:
    return [item.desired for item in plan.objects if item.desired is not None]
