# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan as data: what a run would change, and why. Reports print it, the executor carries it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..kube.objects import Json, ObjectId
from ..kube.ownership import FieldPath
from .desired import Desired
from .diff import FieldChange
from .finding import NOWHERE, Finding, Position
from .model import JSON, Addon, SmokeCheck, TaskFile
from .record import Record, RecordedObject
from .sources.render import Rendered

NO_RIGHT = "no right"
"""What an object's ``unverified`` begins with where this credential may not look."""


class Action(StrEnum):
    """What happens to an add-on. REFRESH updates the record only, and counts as unchanged. FINISH: all is applied,
    hooks after it are left."""

    INSTALL = "install"
    UPGRADE = "upgrade"
    REPAIR = "repair"
    ADOPT = "adopt"
    REMOVE = "remove"
    FINISH = "finish"
    ROLLBACK = "rollback"
    DISOWN = "disown"
    REFRESH = "refresh"
    UNCHANGED = "unchanged"
    BLOCKED = "blocked"


class Op(StrEnum):
    """What happens to an object. SHARED: another add-on applies it. RETAKE: ours again without a change.
    REMEMBER: somebody holds fields of it by a rule; only the record is brought up to date.
    HAND_OVER: it stays as it is, and is not ours any more."""

    CREATE = "create"
    CHANGE = "change"
    RECREATE = "recreate"
    RETAKE = "retake"
    REMEMBER = "remember"
    DELETE = "delete"
    KEEP = "keep"
    HAND_OVER = "hand over"
    SHARED = "shared"
    NONE = "none"


@dataclass(frozen=True)
class Drift:
    """A field (or a whole object, ``field`` empty) that is not as we applied it.

    ``decision``: ``report`` (left as it is, counts as drift), ``keep`` (no longer counted), ``overwrite`` (taken back),
    ``adopt`` (like report, and told how to make it ours), ``undecided`` (stops the add-on). ``note`` is ``added`` where
    somebody set what we do not mention: ``ours`` is None then.
    """

    object: str
    field: str
    ours: JSON
    live: JSON
    manager: str
    when: str
    decision: str
    note: str = ""
    id: str = ""
    """What the command line calls it."""


@dataclass(frozen=True)
class Adoption:
    """A field to be written into the manifest. ``ours`` is None for what was added, ``live`` for what is gone."""

    id: ObjectId
    path: FieldPath
    ours: JSON
    live: JSON


@dataclass(frozen=True)
class Proposal:
    """What to paste below an add-on's name. ``untold`` are fields of Secrets, whose values are never printed."""

    values: dict[str, JSON]
    patches: tuple[Json, ...] = ()
    untold: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectPlan:
    """One object: ``payload`` is what will be applied, without the fields that are left to others."""

    op: Op
    id: ObjectId
    desired: Desired | None = None
    recorded: RecordedObject | None = None
    payload: Json | None = None
    fields: tuple[FieldChange, ...] = ()
    note: str = ""
    unverified: str = ""
    """Why this is not sure, in words; ``NO_RIGHT`` comes first where that is the reason."""
    force: bool = False
    preexisting: bool = False
    former: str = ""
    """``manager/operation`` of whoever held an object that is adopted: it gets it back when we disown it."""
    take_over: str = ""
    """Whose fields become ours first: helm or kubectl."""
    strip: tuple[FieldPath, ...] = ()
    """Additions of others that are taken away first: an apply leaves alone what it does not mention."""
    restore: tuple[FieldPath, ...] = ()
    """Fields that get our value in the same write: without it the object might be invalid in between."""
    kept: tuple[str, ...] = ()
    foreign: frozenset[str] = frozenset()
    settled: bool = True
    """Nothing about this object is open: ``foreign``, what others hold of it, need not be looked at again."""

    @property
    def wanted(self) -> Desired:
        """What is applied. Deletions and kept objects have none: asking for it is a mistake of ours."""
        if self.desired is None:
            raise ValueError(f"{self.id} has nothing to apply")
        return self.desired

    @property
    def known(self) -> RecordedObject:
        """What the record says. New objects have none."""
        if self.recorded is None:
            raise ValueError(f"{self.id} is not recorded")
        return self.recorded


@dataclass
class AddonPlan:
    """One add-on of the plan."""

    name: str
    action: Action
    reason: str
    position: Position = NOWHERE
    version_from: str = ""
    version_to: str = ""
    objects: list[ObjectPlan] = field(default_factory=list)
    values: list[FieldChange] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    adoptions: list[Adoption] = field(default_factory=list)
    proposal: Proposal | None = None
    problems: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    depends: tuple[str, ...] = ()
    addon: Addon | None = None
    rendered: Rendered | None = None
    record: Record | None = None
    inputs: str = ""
    is_upgrade: bool = False
    release_revision: int = 0
    afterwards: str = ""
    """Where the manifest goes on from here: told in the plan, and once more at the end."""
    rollback_to: int = 0
    """The revision that a rollback goes to; 0 for everything else."""
    stale_release: str = ""
    shown_values: dict[str, JSON] = field(default_factory=dict)
    """The values as plans and the record may show them."""
    checks: tuple[SmokeCheck, ...] = ()
    """Smoke checks that follow when the add-on is ready."""
    operation: str = ""
    hooks: tuple[TaskFile, ...] = ()
    """Those that are left to run, before and after."""
    hooks_done: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    """Outputs of add-ons that act in this run, or that nobody may read: at its turn it is planned once more."""
    destroys: set[ObjectId] = field(default_factory=set)
    """Custom resources of others that go with the CRDs of a removal."""

    @property
    def wanted(self) -> Addon:
        """What the manifest says. Removals have none."""
        if self.addon is None:
            raise ValueError(f"add-on {self.name} is not in the manifest")
        return self.addon

    @property
    def output(self) -> Rendered:
        """What the source rendered; only what may have changed is rendered."""
        if self.rendered is None:
            raise ValueError(f"add-on {self.name} was not rendered")
        return self.rendered

    @property
    def known(self) -> Record:
        """What the record says. New add-ons have none."""
        if self.record is None:
            raise ValueError(f"add-on {self.name} has no record")
        return self.record

    @property
    def changes(self) -> bool:
        return self.acts and self.action is not Action.REFRESH

    @property
    def acts(self) -> bool:
        return self.action not in (Action.UNCHANGED, Action.BLOCKED)

    @property
    def due(self) -> bool:
        """Whether something may change by this add-on's turn in the run."""
        return self.changes or bool(self.again)

    @property
    def helm_was_here(self) -> bool:
        """Whether Helm itself has written to this release since our last run."""
        return bool(self.stale_release) or any(d.object.startswith("release ") for d in self.drift)

    @property
    def drifted(self) -> bool:
        return any(d.decision in ("report", "adopt") for d in self.drift)


@dataclass
class Plan:
    """The whole plan, add-ons in the order in which they will be worked on (removals last, dependents first)."""

    name: str
    cluster: str
    addons: list[AddonPlan]
    dropped: list[str] = field(default_factory=list)
    hints: list[Finding] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)
    pulled_in: list[str] = field(default_factory=list)
    seconds: float = 0.0
    requests: int = 0
    helm_processes: int = 0

    def put(self, one: AddonPlan) -> None:
        """In the place of the plan that this add-on had."""
        self.addons[[plan.name for plan in self.addons].index(one.name)] = one

    def count(self, *actions: Action) -> int:
        return sum(1 for a in self.addons if a.action in actions)

    @property
    def result(self) -> str:
        """``error``, ``changes``, ``drift`` or ``unchanged``: the strongest that applies."""
        if any(a.problems for a in self.addons):
            return "error"
        if any(a.changes for a in self.addons):
            return "changes"
        return "drift" if any(a.drifted for a in self.addons) else "unchanged"
