# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Plans of add-ons that use outputs: what can be told before the values are there, and who is looked at again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..kube.objects import ObjectId
from .diff import value_path
from .finding import Finding, KeyPath
from .graph import closure, layers
from .model import JSON, Addon, ObjectsSource, Unknown
from .observe import Observed
from .outputs import provider_of, shown
from .plan import Action, AddonPlan, Drift, ObjectPlan, Op
from .reading import DENIED
from .record import ReleaseState
from .rendering import Rendering
from .verdict import conclude

_CANNOT_TELL = "what changed is told once the outputs are known"


@dataclass(frozen=True)
class LateValue:
    """One value of an add-on that is not known: ``path`` as plans write it. ``denied``: nobody may look."""

    path: str
    outputs: tuple[str, ...]
    after: tuple[str, ...]
    why: str
    denied: bool
    where: str = ""


def late_values(plan: AddonPlan) -> Iterator[LateValue]:
    """What has a stand-in for a value, in order of writing."""
    addon = plan.addon
    unknown = {lack.output: lack for lack in addon.unknown} if addon else {}
    for path, names in addon.outputs.items() if addon and unknown else ():
        lacking = [unknown[name] for name in names if name in unknown]
        if lacking:
            yield LateValue(
                f"values {value_path(path[1:])}" if path[0] == "values" else value_path(path),
                tuple(lack.output for lack in lacking),
                tuple(dict.fromkeys(lack.addon for lack in lacking)),
                "; ".join(lack.why for lack in lacking),
                all(lack.code == DENIED for lack in lacking),
                str(addon.origins[path[1:]]) if addon and path[0] == "values" and path[1:] in addon.origins else "",
            )


def outline(plan: AddonPlan, work: Rendering, observed: Observed, moved: Collection[ObjectId]) -> None:
    """The plan of an add-on with stand-ins: no object is tried, and none of these plans can be carried out."""
    addon, record = plan.wanted, plan.record
    after = f"known after {', '.join(_providers(addon.unknown))}"
    if work.too_early:
        plan.notes.append(f"cannot be rendered yet, {after}: {work.too_early}")
    plan.values = [change for change in plan.values if not _touches(change.path, addon)]
    if record is not None and record.state is ReleaseState.APPLIED and not plan.problems and not _changes(plan, work):
        plan.drift += [
            Drift(str(obj.id), "", "as applied", "changed", "", "", "report", _CANNOT_TELL)
            for obj in record.objects
            if obj.id in moved
        ]
        return
    recorded = record.by_id() if record else {}
    for desired in work.desired or ():
        op = Op.CHANGE if desired.id in observed.live else Op.CREATE
        if desired.bare and desired.id.name in (observed.namespaces or ()):
            op = Op.SHARED
        unverified = "" if desired.bare else after
        plan.objects.append(ObjectPlan(op, desired.id, desired, recorded.get(desired.id), unverified=unverified))
    conclude(plan, work)


def mark(plans: Iterable[AddonPlan], addons: Mapping[str, Addon]) -> None:
    """Set ``again`` where the add-on that makes an output acts in this run; an output that nothing of this run will
    bring is a problem of the add-on that uses it."""
    by_name = {plan.name: plan for plan in plans}
    graph = {name: addon.depends for name, addon in addons.items()}
    for name in (name for step in layers(graph) for name in step):
        plan = by_name[name]
        if plan.action is not Action.BLOCKED:
            _mark(plan, addons[name], by_name, graph)


def _mark(plan: AddonPlan, addon: Addon, by_name: Mapping[str, AddonPlan], graph: Mapping[str, Iterable[str]]) -> None:
    used = sorted({output for outputs in addon.outputs.values() for output in outputs})
    again = {output for output in used if by_name[provider_of(output)].due}
    for lack in addon.unknown:
        # The provider itself may stay as it is, and get its value from what it depends on.
        bringing = [by_name[name] for name in sorted(closure(graph, [lack.addon])) if name in by_name]
        bringing = [other for other in bringing if other.due or other.action is Action.BLOCKED]
        if not bringing and lack.code != DENIED:
            plan.problems.append(_problem(addon, lack))
        plan.depends = tuple(dict.fromkeys((*plan.depends, *(other.name for other in bringing))))
        again.add(lack.output)
    if plan.problems:
        plan.action, plan.reason = Action.BLOCKED, plan.problems[0].message
        return
    plan.again = tuple(sorted(again))


def _problem(addon: Addon, lack: Unknown) -> Finding:
    path = next(path for path, names in addon.outputs.items() if lack.output in names)
    return Finding(
        lack.code,
        f"{shown(lack.output)}: {lack.why}",
        ("slipway_addons", addon.name, *path),
        addon.origins.get(path[1:], addon.position) if path[0] == "values" else addon.position,
        advice=advice(lack),
    )


def advice(lack: Unknown) -> str:
    """What to do about an output that has no value."""
    return {
        "SLW-4501": f"see that {lack.addon} makes it, or correct 'outputs' of {lack.addon}",
        "SLW-4502": f"correct the output's 'path' or 'type' below 'outputs' of {lack.addon}",
        "SLW-4503": "grant get on it, or leave the value out",
    }[lack.code]


def known_values(addon: Addon) -> JSON:
    """The values without those that have stand-ins; None in their place in lists."""
    unknown = {lack.output for lack in addon.unknown}
    late = {path[1:] for path, names in addon.outputs.items() if path[0] == "values" and not unknown.isdisjoint(names)}

    def walk(value: JSON, path: KeyPath) -> JSON:
        if isinstance(value, dict):
            return {key: walk(child, (*path, key)) for key, child in value.items() if (*path, key) not in late}
        if isinstance(value, list):
            return [None if (*path, at) in late else walk(child, (*path, at)) for at, child in enumerate(value)]
        return value

    return walk(addon.values, ()) if late else addon.values


def waits_for(plan: AddonPlan) -> tuple[str, ...]:
    """The add-ons after which it is looked at again; without those whose outputs nobody may read."""
    denied = {lack.output for lack in plan.addon.unknown if lack.code == DENIED} if plan.addon else set()
    return tuple(dict.fromkeys(provider_of(output) for output in plan.again if output not in denied))


def _providers(unknown: Iterable[Unknown]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lack.addon for lack in unknown))


def _changes(plan: AddonPlan, work: Rendering) -> bool:
    """Whether the add-on changes whatever the outputs are. Objects are known by their content, stand-ins included."""
    content = plan.known.identity != work.identity and not isinstance(work.addon.source, ObjectsSource)
    return content or bool(plan.values) or plan.version_from != plan.version_to


def _touches(changed: str, addon: Addon) -> bool:
    """Whether a change of values lies at, above or below a value that is not known."""
    unknown = {lack.output for lack in addon.unknown}
    late = [
        value_path(p[1:]) for p, names in addon.outputs.items() if p[0] == "values" and not unknown.isdisjoint(names)
    ]
    return any(_within(changed, path) or _within(path, changed) for path in late)


def _within(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))
