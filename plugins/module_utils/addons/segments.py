# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A run in segments: Ansible's tasks cannot run while the engine does, so the engine stops where hooks are due.

An *operation* of an add-on is install, upgrade or remove. It begins with its first hook, and is over when its last one
has run: until then the record knows which hooks have run, and a later run goes on with the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..kube.objects import ObjectId
from .consent import Consent
from .errors import ActError
from .model import JSON, Addon, TaskFile
from .observe import Observed
from .plan import Action, AddonPlan
from .record import HookState
from .schedule import Outcome, Result

_OPERATIONS = {
    Action.INSTALL: "install",
    Action.ADOPT: "upgrade",
    Action.UPGRADE: "upgrade",
    Action.REPAIR: "upgrade",
    Action.REMOVE: "remove",
}


@dataclass(frozen=True)
class DueHook:
    """A hook whose turn it is. ``variables``: what it may know of its add-on, but for the values."""

    addon: str
    operation: str
    event: str
    written: str
    file: str
    variables: Mapping[str, JSON]

    @property
    def name(self) -> str:
        return f"{self.event} {self.written}"

    def as_dict(self) -> dict[str, JSON]:
        return {
            "addon": self.addon,
            "operation": self.operation,
            "event": self.event,
            "path": self.written,
            "file": self.file,
            "variables": dict(self.variables),
        }


@dataclass(frozen=True)
class Earlier:
    """What the segments before this one came to. ``told``: add-ons whose plan has been shown; ``ran``: the hooks that
    were due (add-on and name); ``seconds``: how long the run has lasted."""

    results: Mapping[str, Result] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    ran: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0

    def rest(self, consent: Consent) -> Consent:
        """Without what has been removed: nobody knows those names any more."""
        return replace(
            consent,
            addons=tuple(name for name in consent.addons if name not in self.results),
            prune=consent.prune - set(self.results),
        )


def without_hooks_alone(observed: Observed) -> Observed:
    """As planning sees it: an add-on of which nothing but hooks has run is not there yet."""
    return replace(observed, records={name: r for name, r in observed.records.items() if not r.hooks_alone})


def take_up(plans: Iterable[AddonPlan], addons: Mapping[str, Addon], states: Mapping[str, HookState]) -> None:
    """Tell each plan its operation, and which hooks of it are left. ``states``: what the records say."""
    for plan in plans:
        addon, began = addons.get(plan.name), states.get(plan.name)
        files = addon.hooks if addon else ()
        operation = _OPERATIONS.get(plan.action, "")
        done: tuple[str, ...] = ()
        if plan.action is Action.REFRESH and began is not None and began.acted:
            left = _left(files, began, after_only=True)
            if left:
                plan.action, plan.reason = Action.FINISH, "hooks after it have not run"
                plan.operation, plan.hooks, plan.hooks_done = began.operation, left, began.done
            continue
        if not operation:
            continue
        state = HookState(operation)
        if began is not None and (began.operation == "remove") == (operation == "remove"):
            # Once all is applied, a change starts the operation over; what was interrupted before that goes on.
            over = began.acted and operation != "remove"
            state = HookState(began.operation) if over else began
        done = state.done
        plan.operation, plan.hooks_done = state.operation, done
        plan.hooks = _left(files, state, after_only=state.acted)


def _left(files: Iterable[TaskFile], state: HookState, *, after_only: bool) -> tuple[TaskFile, ...]:
    events = {f"after_{state.operation}"} | (set() if after_only else {f"before_{state.operation}"})
    return tuple(file for file in files if file.event in events and file.name not in state.done)


def settle(plans: Iterable[AddonPlan], earlier: Earlier) -> None:
    """Whatever this run has been through with is not touched by it again, however it looks now."""
    for plan in plans:
        result = earlier.results.get(plan.name)
        if result is not None:
            plan.hooks, plan.again = (), ()
            plan.action = Action.UNCHANGED if result.done else Action.BLOCKED
            plan.reason = result.reason


def begun(plan: AddonPlan) -> HookState | None:
    """For the record before the add-on's first write."""
    return HookState(plan.operation, plan.hooks_done) if plan.hooks or plan.hooks_done else None


def acted(plan: AddonPlan) -> HookState | None:
    """For the record when all is written: nothing, unless hooks are left."""
    return HookState(plan.operation, plan.hooks_done, acted=True) if plan.hooks else None


class Segment:
    """How far the add-ons that act come before the next hooks.

    ``held`` do not begin: a hook comes first. Whatever depends on ``opened`` has to wait for hooks after them.
    """

    def __init__(self, plans: Iterable[AddonPlan]) -> None:
        self._plans = list(plans)
        self.held = {p.name for p in self._plans if any(_before(h) for h in p.hooks)}
        self.opened = {p.name for p in self._plans if any(not _before(h) for h in p.hooks)}

    def holds(self, plan: AddonPlan) -> bool:
        """Whether ``plan``, which takes the place of the add-on's first one, has to wait for a hook before it."""
        self._plans = [plan if one.name == plan.name else one for one in self._plans]
        self.opened |= {plan.name} if any(not _before(h) for h in plan.hooks) else set()
        self.held |= {plan.name} if any(_before(h) for h in plan.hooks) else set()
        return plan.name in self.held

    def later(self, results: Mapping[str, Result]) -> set[ObjectId]:
        """Objects of add-ons that go on in a later segment: shared namespaces are theirs to remove."""
        return {item.id for plan in self._plans if plan.name not in results for item in plan.objects}

    def due(
        self,
        graph: Mapping[str, set[str]],
        results: Mapping[str, Result],
        addons: Mapping[str, Addon],
        capabilities: tuple[str, ...],
    ) -> list[DueHook]:
        """In the order of the plan, the hooks of one add-on as written."""
        through = {n for n, result in results.items() if result.done and n not in self.opened}
        found = []
        for plan in self._plans:
            if plan.name in self.held and plan.name not in results and graph.get(plan.name, set()) <= through:
                now = [hook for hook in plan.hooks if _before(hook)]
            elif plan.name in self.opened and plan.name in results and results[plan.name].done:
                now = list(plan.hooks)
            else:
                continue
            known = variables(plan, addons[plan.name], capabilities)
            found += [DueHook(plan.name, plan.operation, h.event, h.written, h.file, known) for h in now]
        return found


def _before(hook: TaskFile) -> bool:
    return hook.event.startswith("before_")


def variables(plan: AddonPlan, addon: Addon, capabilities: tuple[str, ...]) -> dict[str, JSON]:
    """``slipway_addon``, but for the values: those may be secret, and travel another way."""
    same = _OPERATIONS.get(plan.action) == plan.operation
    return {
        "name": plan.name,
        "namespace": addon.namespace,
        "release": addon.release,
        "version": plan.version_to or plan.version_from,
        "version_from": plan.version_from,
        "action": plan.action.value if same else plan.operation,
        "capabilities": list(capabilities),
    }


def check_new(due: Iterable[DueHook], earlier: Earlier) -> None:
    """Raises ``ActError`` SLW-4602 where a hook is due twice: without this, such a run would have no end."""
    for hook in due:
        if (hook.addon, hook.name) in earlier.ran:
            raise ActError(
                "SLW-4602",
                f"hook {hook.name} of {hook.addon} has run, and the record does not know of it",
                "does another run work on this cluster? run again",
            )


def merged(earlier: Mapping[str, Result], now: Mapping[str, Result]) -> dict[str, Result]:
    """Results of a run so far: the first word about an add-on counts."""
    return {**earlier, **{name: result for name, result in now.items() if name not in earlier}}


def finished(told: Iterable[str], results: Mapping[str, Result]) -> dict[str, Result]:
    """At the end of a run: what was to be done and has no result needed nothing any more when its turn came."""
    late = Result(Outcome.DONE, "was as written when its turn came")
    return {**results, **{name: late for name in told if name not in results}}


def to_state(told: Iterable[str], results: Mapping[str, Result], ran: Iterable[tuple[str, str]], began: float) -> JSON:
    """For the next segment, as JSON. ``began``: seconds of the epoch."""
    return {
        "told": list(told),
        "results": {name: {"outcome": r.outcome.value, "reason": r.reason} for name, r in results.items()},
        "ran": [list(pair) for pair in ran],
        "began": began,
    }


def from_state(state: Mapping[str, Any], now: float) -> Earlier:
    """What ``to_state`` made. ``now``: seconds of the epoch."""
    results = {n: Result(Outcome(r["outcome"]), str(r["reason"])) for n, r in (state.get("results") or {}).items()}
    return Earlier(
        results=results,
        told=tuple(map(str, state.get("told") or ())),
        ran=tuple((str(addon), str(name)) for addon, name in state.get("ran") or ()),
        seconds=max(0.0, now - float(state.get("began") or now)),
    )
