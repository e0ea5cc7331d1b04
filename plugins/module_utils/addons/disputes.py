# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Fields of a live object that are not as we applied them: who holds them, and what is to be done about each.

Rules (DESIGN 11.6): a field that somebody else changed and whose desired value did not change is left out of the
payload; when it did change, the add-on is not applied until somebody decides. Nothing is forced without a rule.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..kube.additions import CONTROLLERS, Addition, additions, foreign_fields, leaves
from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import Json, is_crd
from ..kube.owners import Owner, owner_of_field
from ..kube.ownership import FieldPath, format_field, known_fields, lost_fields, our_entry, value_at
from .answers import ADOPT, KEEP, OVERWRITE, Answers, finding_id
from .desired import MANAGER, Desired
from .digest import Digester, leaf_path
from .finding import Finding
from .model import JSON
from .plan import Adoption, Drift
from .record import LABEL_ADDON, LABEL_NAME, RecordedObject

_MARKS: tuple[FieldPath, FieldPath] = (("metadata", "labels", LABEL_NAME), ("metadata", "labels", LABEL_ADDON))


@dataclass
class Disputes:
    """``left_out`` of the payload, ``taken_back`` by force, ``stripped`` from the live object, ``shared`` with others.

    ``blocked`` findings stop the add-on. ``kept`` names the fields that the command line said to keep, now or earlier;
    ``foreign`` is what others hold: remembered once nothing about the object is open any more (``settled``).
    """

    drift: list[Drift] = field(default_factory=list)
    blocked: list[Finding] = field(default_factory=list)
    left_out: list[FieldPath] = field(default_factory=list)
    taken_back: list[FieldPath] = field(default_factory=list)
    shared: list[FieldPath] = field(default_factory=list)
    added: list[Addition] = field(default_factory=list)
    stripped: list[Addition] = field(default_factory=list)
    adoptions: list[Adoption] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    foreign: frozenset[str] = frozenset()

    @property
    def strip(self) -> tuple[FieldPath, ...]:
        """Where to cut: a branch as a whole where all of it goes, as what is left of it might mean nothing."""
        going = [addition.path for addition in self.stripped]
        whole = {str(a.branch) for a in self.stripped} - {str(a.branch) for a in self.added if a.path not in going}
        cuts = [a.branch if str(a.branch) in whole else a.path for a in self.stripped]
        return tuple(cut for at, cut in enumerate(cuts) if cut not in cuts[:at])

    @property
    def settled(self) -> bool:
        return not self.blocked and all(d.decision in (KEEP, OVERWRITE) for d in self.drift)


class Judge:
    """Looks at one object. ``live`` is the whole of it."""

    def __init__(
        self,
        client: Client,
        desired: Desired,
        recorded: RecordedObject | None,
        live: Json,
        answers: Answers,
        digester: Digester,
    ) -> None:
        self._client = client
        self._desired = desired
        self._recorded = recorded
        self._live = live
        self._answers = answers
        self._digester = digester
        self._seen: list[FieldPath] = []
        self._found = Disputes(foreign=foreign_fields(live["metadata"], MANAGER))
        self._kept = set(recorded.kept if recorded else ())

    def judge(self) -> Disputes:
        for path, value, current in self._differing():
            if path == _MARKS[1] and _MARKS[0] in self._seen:
                # Our two marks go together, and are told as one.
                (self._found.taken_back if _MARKS[0] in self._found.taken_back else self._found.left_out).append(path)
            elif path[-1] == "caBundle" and _blank(value):
                # Left for an injector to fill in: it never was ours.
                self._found.left_out.append(path)
            else:
                self._lost(path, value, current)
            self._seen.append(path)
        for path, owner in self._shared():
            # What we hold is ours to change, whoever set the same value; but an autoscaler will set it again.
            (self._found.left_out if _autoscaler(owner) else self._found.shared).append(path)
        added = [a for a in additions(self._live, self._desired.body, MANAGER) if not _empty(a.value)]
        by_default = self._defaults() if any(a.path[0] != "metadata" for a in added) else None
        for addition in added:
            if by_default is None or value_at(by_default, addition.path) != addition.value:
                self._found.added.append(addition)
                self._added(addition)
        self._found.kept = tuple(sorted(self._kept))
        return self._found

    def _differing(self) -> list[tuple[FieldPath, JSON, JSON]]:
        """Lost fields whose value is another one now: path, ours, and what is live."""
        meta = self._live["metadata"]
        found = []
        for path, value in lost_fields(self._desired.body, our_entry(meta, MANAGER), known_fields(meta)):
            current = value_at(self._live, path)
            if type(current) is type(value) and current == value:
                continue
            # A branch that is still ours: by our own wish it changes, by somebody else's it was emptied.
            if owner_of_field(meta, path).manager != MANAGER or self._applied(path, value):
                found.append((path, value, current))
        predicted = self._predicted() if found else None
        if predicted is None:
            return [item for item in found if not covers(item[2], item[1])]
        # 1000m is 1, and an image may be what a webhook makes of ours: only the server can tell.
        return [(path, value, now) for path, value, now in found if value_at(predicted, path) != now]

    def _shared(self) -> Iterator[tuple[FieldPath, Owner]]:
        """Fields that we and somebody else hold, with one value so far, and for which we now want another one."""
        meta = self._live["metadata"]
        others = {"managedFields": [e for e in meta.get("managedFields") or [] if e.get("manager") != MANAGER]}
        for path in leaves(our_entry(meta, MANAGER) or {}):
            wanted = value_at(self._desired.body, path)
            if wanted is not None and not covers(value_at(self._live, path), wanted):
                owner = owner_of_field(others, path)
                if owner.manager:
                    yield path, owner

    def _predicted(self) -> Json | None:
        """What the object would be with all of ours; None where that cannot be tried."""
        return self._tried(self._desired.path, self._desired.body, force=True)

    def _lost(self, path: FieldPath, value: JSON, current: JSON) -> None:
        name = format_field(path)
        owner = owner_of_field(self._live["metadata"], path)
        if owner.manager == MANAGER:
            owner = Owner()
        answer = self._answer(name, owner.manager)
        note = ""
        if owner.subresource == "scale" and path == ("spec", "replicas"):
            note = "through the scale subresource"
            if _autoscaler(owner) and not self._answers.named(self._desired.id, name):
                answer = KEEP
        applied = self._applied(path, value)
        if answer == OVERWRITE:
            self._found.taken_back.append(path)
            self._tell(name, value, current, owner, OVERWRITE, note)
        elif answer == KEEP and (applied or owner.manager):
            self._found.left_out.append(path)
            self._tell(name, value, current, owner, KEEP, note)
        elif applied:
            self._found.left_out.append(path)
            self._tell(name, value, current, owner, answer, note)
            self._adopt(answer, path, value, current)
        elif owner.manager and current is not None:
            self._tell(name, value, current, owner, "undecided", note)
            self._found.blocked.append(undecided(self._answers.addon, self._desired, name, owner.manager))

    def _applied(self, path: FieldPath, value: JSON) -> bool:
        """Whether we applied this value already: what is wanted has not changed, only what is live."""
        recorded = self._recorded
        if recorded is None:
            return False
        if recorded.digest == self._digester.of(self._desired.body):
            return True
        return bool(recorded.leaves and self._digester.has(recorded.leaves, leaf_path(self._desired.body, path), value))

    def _added(self, addition: Addition) -> None:
        name = format_field(addition.path)
        answer = self._answer(name, addition.manager, self._answers.additions)
        if answer == OVERWRITE:
            self._found.stripped.append(addition)
        self._tell(name, None, addition.value, Owner(addition.manager, addition.when), answer, "added")
        self._adopt(answer, addition.path, None, addition.value)

    def _adopt(self, answer: str, path: FieldPath, ours: JSON, live: JSON) -> None:
        if answer != ADOPT:
            return
        last = path[-1]
        if isinstance(last, dict) and "=" in last:
            # An item of a set has no name to patch it by: the whole list is written.
            path, ours, live = path[:-1], None, value_at(self._live, path[:-1])
        self._found.adoptions.append(Adoption(self._desired.id, path, ours, live))

    def _answer(self, name: str, manager: str, answers: Answers | None = None) -> str:
        answers, identity = answers or self._answers, self._desired.id
        answer = answers.of(identity, name, manager, self._kept)
        if answers.said(identity, name):
            (self._kept.add if answer == KEEP else self._kept.discard)(name)
        return answer

    def _tell(self, name: str, ours: JSON, live: JSON, owner: Owner, decision: str, note: str) -> None:
        found = finding_id(self._answers.addon, self._desired.id, name)
        self._found.drift.append(
            Drift(str(self._desired.id), name, ours, live, owner.manager, owner.when, decision, note, found)
        )

    def _defaults(self) -> Json | None:
        """What the API server, with all its webhooks, makes of our object by itself: tried under another name.

        Whoever creates an object by an update holds the defaults too, and they are no additions.
        """
        desired = self._desired
        if is_crd(desired.body):
            return None
        name = f"{desired.id.name[:40].rstrip('.-')}-slipway-dry-run"
        body = {**desired.body, "metadata": {**desired.body["metadata"], "name": name}}
        return self._tried(desired.resource.path(desired.id.namespace, name), body)

    def _tried(self, path: str, body: Json, *, force: bool = False) -> Json | None:
        try:
            return self._client.apply(path, body, manager=MANAGER, dry_run=True, force=force)
        except ApiError as exc:
            if exc.status in (400, 403, 404, 409, 422) or exc.webhook_unavailable:
                return None
            raise


def undecided(addon: str, desired: Desired, name: str, manager: str) -> Finding:
    found = finding_id(addon, desired.id, name)
    return Finding(
        "SLW-3301",
        f"{desired.id}: {name} is held by {manager}, and its desired value changed",
        advice=f"decide: -e slipway_overwrite={found} or -e slipway_keep={found} (or {addon} for all of its fields)",
    )


def covers(live: object, wanted: object) -> bool:
    """Whether ``live`` says all that ``wanted`` says; the server may have added defaults."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(covers(live.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(live) == len(wanted)
            and all(covers(a, b) for a, b in zip(live, wanted, strict=True))
        )
    return type(live) is type(wanted) and live == wanted


def _blank(bundle: JSON) -> bool:
    """Whether a caBundle says nothing: charts write an empty text, or a line break in base64, as a placeholder."""
    try:
        return not base64.b64decode(str(bundle)).strip()
    except ValueError:
        return False


def _empty(value: JSON) -> bool:
    return isinstance(value, (dict, list)) and not value


def _autoscaler(owner: Owner) -> bool:
    """A HorizontalPodAutoscaler scales as the controller manager; others say what they are by their name."""
    return owner.manager in CONTROLLERS or "autoscal" in owner.manager
