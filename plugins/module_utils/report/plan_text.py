# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan as people read it: fixed columns, greppable, in stable order, secrets masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..addons.diff import ABSENT, FieldChange, differences
from ..addons.finding import NOWHERE
from ..addons.history.folder import Written
from ..addons.late import late_values, waits_for
from ..addons.masking import MASK, Masker
from ..addons.model import JSON
from ..addons.outputs import shown
from ..addons.plan import NO_RIGHT, Action, AddonPlan, Drift, ObjectPlan, Op, Plan
from ..addons.sources.yaml import dump

_SIGNS = {
    Action.INSTALL: "+",
    Action.ADOPT: "+",
    Action.UPGRADE: "~",
    Action.REPAIR: "~",
    Action.FINISH: "~",
    Action.ROLLBACK: "~",
    Action.REMOVE: "-",
    Action.DISOWN: "-",
    Action.BLOCKED: "!",
    Action.REFRESH: "=",
    Action.UNCHANGED: "=",
}
_OBJECT_SIGNS = {Op.CREATE: "+", Op.CHANGE: "~", Op.RECREATE: "±", Op.DELETE: "-"}
_FIELDS_SHOWN = 12
_WIDTH = 60


def plan_lines(plan: Plan, masker: Masker, *, verbose: bool = False) -> list[str]:
    """All lines. ``verbose`` also names what is unchanged, and every object and field."""
    lines = [_head(plan)]
    for addon in plan.addons:
        if addon.changes or addon.action is Action.BLOCKED:
            lines += _addon(addon, verbose)
        elif addon.again:
            lines += _again_only(addon)
        elif addon.drift:
            lines += drift_only(addon)
        elif verbose:
            lines.append(f"= {addon.name:<20} unchanged  {addon.version_from}".rstrip())
    for name in plan.dropped:
        lines.append(f"? {name:<20} not in the manifest: stays (consent to its removal: -e slipway_prune={name})")
    quiet = plan.count(Action.UNCHANGED, Action.REFRESH) - _quietly_drifted(plan) - _again(plan)
    if quiet and not verbose:
        lines.append(f"= {quiet} unchanged (-v shows them)")
    if plan.pulled_in:
        lines.append(f"selected with what they need: {', '.join(plan.pulled_in)}")
    lines += [f"hint: {hint}" for hint in plan.hints]
    lines += [f"limit: {limit}" for limit in plan.limits]
    return [masker.text(line) for line in lines]


def more_lines(plan: Plan, told: Iterable[str], masker: Masker, *, verbose: bool = False) -> list[str]:
    """In a later segment of a run: what is to be done beyond the plan that has been shown."""
    known = set(told)
    new = [addon for addon in plan.addons if addon.changes and addon.name not in known]
    return [masker.text(line) for addon in new for line in _addon(addon, verbose)]


def afterwards_lines(plan: Plan) -> list[str]:
    """Once more at the end: where the manifest goes on from here."""
    return [f"{addon.name}: {addon.afterwards}" for addon in plan.addons if addon.afterwards]


def kept_lines(kept: Mapping[str, Sequence[str]]) -> list[str]:
    """What removals left on purpose, each object once; empty when nothing was left."""
    lines = sorted({line for lines in kept.values() for line in lines})
    head = [f"KEPT {len(lines)} object{'' if len(lines) == 1 else 's'}"] if lines else []
    return head + [f"    {line}" for line in lines]


def written_lines(written: Written) -> list[str]:
    """What became of the rendered history."""
    told = [f"{len(written.changed)} written", f"{len(written.removed)} removed"]
    if written.left_out:
        many = "object" if written.left_out == 1 else "objects"
        told.append(f"{written.left_out} {many} left out: {written.folder}/index tells which and why")
    return [f"RENDERED {written.folder}  {written.files} file{'' if written.files == 1 else 's'}: {', '.join(told)}"]


def _quietly_drifted(plan: Plan) -> int:
    """Add-ons that this run does not touch, and that have a line because of their drift."""
    quiet = (Action.UNCHANGED, Action.REFRESH)
    return sum(1 for a in plan.addons if a.drift and a.action in quiet and not a.again)


def _again(plan: Plan) -> int:
    """Add-ons of which only their turn will tell whether they change."""
    return sum(1 for a in plan.addons if a.again and a.action in (Action.UNCHANGED, Action.REFRESH))


def _head(plan: Plan) -> str:
    counts = [
        (plan.count(Action.INSTALL), "install"),
        (plan.count(Action.ADOPT), "adopt"),
        (plan.count(Action.UPGRADE), "change"),
        (plan.count(Action.REPAIR), "repair"),
        (plan.count(Action.FINISH), "finish"),
        (plan.count(Action.ROLLBACK), "roll back"),
        (plan.count(Action.REMOVE), "remove"),
        (plan.count(Action.DISOWN), "disown"),
        (plan.count(Action.BLOCKED), "blocked"),
        (_quietly_drifted(plan), "drifted"),
        (_again(plan), "to look at again"),
    ]
    told = [f"{count} {word}" for count, word in counts if count]
    told.append(f"{plan.count(Action.UNCHANGED, Action.REFRESH) - _quietly_drifted(plan) - _again(plan)} unchanged")
    many = len(plan.addons)
    return (
        f"PLAN {plan.name}  cluster {plan.cluster[:4]}  {many} add-on{'' if many == 1 else 's'}: "
        f"{', '.join(told)}  ({plan.seconds:.1f} s)"
    )


def _addon(plan: AddonPlan, verbose: bool) -> Iterator[str]:
    where = "" if plan.position == NOWHERE else f"  {plan.position}"
    version = plan.version_to or plan.version_from
    if plan.action in (Action.REMOVE, Action.DISOWN):
        version = plan.version_from
    elif plan.version_from and plan.version_from != plan.version_to:
        version = f"{plan.version_from} -> {plan.version_to}"
    yield f"{_SIGNS[plan.action]} {plan.name:<20} {plan.action.value:<8} {version:<16} {plan.reason}{where}".rstrip()
    yield from (f"    hook {hook.name}" for hook in plan.hooks)
    if plan.action is Action.REMOVE:
        yield from _removal(plan)
        return
    if plan.action is Action.DISOWN:
        yield from _disowned(plan, verbose)
        return
    for problem in plan.problems[1:] if plan.action is Action.BLOCKED else plan.problems:
        yield f"    {problem}"
    if plan.problems:
        yield f"    {plan.problems[0].code}: {plan.problems[0].advice}"
    for change in plan.values:
        yield f"  ~ values {_change(change)}  {change.where}".rstrip()
    yield from _late(plan)
    if plan.changes and set(plan.again) - {output for late in late_values(plan) for output in late.outputs}:
        yield f"    {_looked_at_again(plan)}"
    yield from _objects(plan, verbose)
    if plan.checks:
        yield f"    smoke: {', '.join(check.capability for check in plan.checks)}"
    yield from (f"  ! {drift_line(d)}" for d in plan.drift)
    yield from _proposal(plan)
    yield from _decide(plan)
    yield from (f"    note: {note}" for note in (*plan.notes, plan.afterwards) if note)


def _late(plan: AddonPlan) -> Iterator[str]:
    for late in late_values(plan):
        names = ", ".join(shown(output) for output in late.outputs)
        if late.denied:
            text = f"unverified (rights): {late.why}"
        elif plan.action is Action.BLOCKED:
            text = f"unknown: {late.why}"
        else:
            text = f"known after {', '.join(late.after)}"
        yield f"  ? {late.path}  {text}  ({names})  {late.where}".rstrip()


def _looked_at_again(plan: AddonPlan) -> str:
    return f"looked at again after {', '.join(waits_for(plan))} ({', '.join(map(shown, plan.again))})"


def _again_only(plan: AddonPlan) -> Iterator[str]:
    """As written by all that is known; an output may say otherwise when its add-on has been worked on."""
    where = "" if plan.position == NOWHERE else f"  {plan.position}"
    what = _looked_at_again(plan) if waits_for(plan) else "unverified (rights)"
    yield f"? {plan.name:<20} {what}{where}"
    yield from _late(plan)
    yield from (f"  ! {drift_line(d)}" for d in plan.drift)
    yield from _decide(plan)
    yield from (f"    note: {note}" for note in plan.notes)


def _objects(plan: AddonPlan, verbose: bool) -> Iterator[str]:
    created = [o for o in plan.objects if o.op is Op.CREATE and not o.note]
    if created and not verbose and plan.action in (Action.INSTALL, Action.ADOPT):
        yield f"  + {_by_kind(created)}"
    # After an interrupted run everything is applied again; what does not change by it is only counted.
    again = [o for o in plan.objects if o.op is Op.CHANGE and not (o.fields or o.note or o.unverified)]
    if again and not verbose:
        yield f"  ~ {_by_kind(again)} applied again, without a change"
    for item in plan.objects:
        sign = _OBJECT_SIGNS.get(item.op)
        if item in again and not verbose:
            continue
        if sign is None or (item in created and not verbose and plan.action in (Action.INSTALL, Action.ADOPT)):
            continue
        note = f"  ({item.note})" if item.note else ""
        if item.unverified:
            rights = " (rights)" if item.unverified.startswith(NO_RIGHT) else ""
            yield f"  ? {item.id}  unverified{rights}: {item.unverified}"
        elif not item.fields:
            yield f"  {sign} {item.id}{note}"
        shown = item.fields if verbose else item.fields[:_FIELDS_SHOWN]
        for change in shown:
            yield f"  {sign} {item.id}  {_change(change, secret=item.id.kind == 'Secret')}{note}"
        if len(item.fields) > len(shown):
            yield f"    … {len(item.fields) - len(shown)} more fields (-v shows them)"


def _removal(plan: AddonPlan) -> Iterator[str]:
    goes = [o for o in plan.objects if o.op is Op.DELETE]
    yield f"  - {_by_kind(goes)}" if goes else "  - no objects are left"
    if plan.depends:
        yield f"    after {', '.join(plan.depends)}"
    for item in plan.objects:
        if item.op is Op.KEEP:
            yield f"    {item.id!s:<40} keep  ({item.note})"
    yield from (f"    note: {note}" for note in plan.notes)


def _disowned(plan: AddonPlan, verbose: bool) -> Iterator[str]:
    """To whom each goes, and what is not handed over with its reason."""
    heirs: dict[str, list[ObjectPlan]] = {}
    for item in plan.objects:
        if item.op is Op.HAND_OVER:
            heirs.setdefault(item.note, []).append(item)
        elif verbose or item.op is Op.KEEP:
            yield f"    {item.id!s:<40} {item.note}"
    for heir, items in sorted(heirs.items()):
        yield f"    {_by_kind(items)}  {heir}"
        yield from (f"      {item.id}" for item in items if verbose)
    yield from (f"    note: {note}" for note in plan.notes)


def drift_only(plan: AddonPlan) -> Iterator[str]:
    count = len(plan.drift)
    where = "" if plan.position == NOWHERE else f"  {plan.position}"
    yield f"! {plan.name:<20} drift    {count} field{'' if count == 1 else 's'}{where}"
    yield from (f"    {drift_line(d)}" for d in plan.drift)
    yield from _proposal(plan)
    yield from _decide(plan)


def _decide(plan: AddonPlan) -> Iterator[str]:
    """How to answer what is open: for all of the add-on, or for a single finding by its id."""
    ids = [d.id for d in plan.drift if d.decision == "report" and d.id]
    if ids:
        yield (
            f"    decide: -e slipway_overwrite={plan.name} | -e slipway_keep={plan.name} | -e slipway_adopt={plan.name}"
            f"  (or one finding: {ids[0]})"
        )


def _proposal(plan: AddonPlan) -> Iterator[str]:
    """YAML to paste, with the drift gone then. Values of Secrets are not for printing."""
    proposal = plan.proposal
    if proposal is None:
        return
    body = {"values": proposal.values, "patches": list(proposal.patches)}
    text = dump({key: part for key, part in body.items() if part}) if any(body.values()) else ""
    if text:
        where = "" if plan.position == NOWHERE else f" ({plan.position})"
        yield f"    adopt: write below {plan.name}{where}, and the drift is gone:"
        yield from (f"      {line}" for line in text.rstrip().splitlines())
    for field in proposal.untold:
        yield f"    adopt: {field} is secret and is not printed: take it into the vault that the manifest reads"


def drift_line(drift: Drift) -> str:
    by = f"by {drift.manager}" if drift.manager else "removed" if drift.live is None else "by an unnamed manager"
    when = f", {drift.when}" if drift.when else ""
    note = f" ({drift.note})" if drift.note else ""
    secret = drift.object.startswith("Secret ")
    if drift.note == "added":
        values, note = "added" if secret else f"added {_short(drift.live)}", ""
    else:
        values = "changed" if secret else _changed(drift.ours, drift.live)
    name = f"  [{drift.id}]" if drift.id else ""
    return f"{drift.object}  {drift.field} {values}  {by}{when}  {drift.decision}{note}{name}"


def _changed(ours: JSON, live: JSON) -> str:
    """Both values; of lists and maps that are held as a whole, the first difference, and how many more there are."""
    if not (isinstance(ours, (dict, list)) and isinstance(live, type(ours))):
        return f"{_short(ours)} -> {_short(live)}"
    first, *more = differences(ours, live)
    return _change(first) + (f"  and {len(more)} more" if more else "")


def _change(change: FieldChange, *, secret: bool = False) -> str:
    if secret and change.path.startswith(("data", "stringData")):
        return f"{change.path}  changed"
    if change.before is ABSENT:
        return f"{change.path}  added {_short(change.after)}"
    if change.after is ABSENT:
        return f"{change.path}  removed (was {_short(change.before)})"
    if MASK in (change.before, change.after):
        return f"{change.path}  changed"
    if isinstance(change.before, str) and isinstance(change.after, str) and "\n" in change.before + change.after:
        return f"{change.path}  {_changed_lines(change.before, change.after)}"
    return f"{change.path}  {_short(change.before)} -> {_short(change.after)}"


def _changed_lines(before: str, after: str) -> str:
    """Of a text of many lines, the first one that differs, and how many more do."""
    old, new = before.splitlines(), after.splitlines()
    gone = [line for line in old if line not in new]
    came = [line for line in new if line not in old]
    more = max(len(gone), len(came)) - 1
    first = f"{_short(gone[0].strip()) if gone else '(no line)'} -> {_short(came[0].strip()) if came else '(no line)'}"
    return first + (f"  and {more} more line{'' if more == 1 else 's'}" if more > 0 else "")


def _short(value: JSON) -> str:
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{key}: {_short(child)}" for key, child in value.items()) + "}"
    elif isinstance(value, list):
        text = f"[{', '.join(map(_short, value))}]" if len(value) < 4 else f"[{len(value)} items]"
    elif value is None:
        text = "(none)"
    elif value == "":
        text = "''"
    else:
        text = str(value)
    first = text.split("\n", 1)[0]
    return f"{first[: _WIDTH - 1]}…" if len(first) >= _WIDTH or first != text else first


def _by_kind(objects: Iterable[ObjectPlan]) -> str:
    kinds: dict[str, int] = {}
    for item in objects:
        kinds[item.id.kind] = kinds.get(item.id.kind, 0) + 1
    total = sum(kinds.values())
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{total} object{'' if total == 1 else 's'}: {listed}"
