# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Segments of a run: what may run before the next hooks, which hooks are due, and what the record remembers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.consent import Consent
from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Report
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import ActError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon, ObjectsSource, TaskFile
from ansible_collections.slipway.cluster.plugins.module_utils.addons.noting import noted
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, AddonPlan, Plan
from ansible_collections.slipway.cluster.plugins.module_utils.addons.record import (
    HookState,
    Record,
    ReleaseState,
    from_config_map,
    to_config_map,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.schedule import Outcome, Result, Schedule
from ansible_collections.slipway.cluster.plugins.module_utils.addons.segments import (
    Earlier,
    Segment,
    acted,
    begun,
    check_new,
    finished,
    from_state,
    merged,
    settle,
    take_up,
    to_state,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.task_files import EVENTS
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_text import more_lines, plan_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.run_json import run_dict

DONE, FAILED, SKIPPED = Result(Outcome.DONE), Result(Outcome.FAILED, "no"), Result(Outcome.SKIPPED, "needs a")


def addon(name: str, *hooks: str, depends: tuple[str, ...] = ()) -> Addon:
    """``hooks`` as ``before_install db.yml``."""
    files = tuple(TaskFile(*hook.split(), f"/f/{hook.split()[1]}") for hook in hooks)
    return Addon(name, ObjectsSource(()), "ns", name, {"n": 1}, hooks=files, depends=depends)


def plan_of(one: Addon, action: Action = Action.INSTALL) -> AddonPlan:
    known = None if action is Action.REMOVE else one
    return AddonPlan(one.name, action, "", version_to="2", version_from="1", depends=one.depends, addon=known)


def record(hooks: HookState | None = None, **changed: Any) -> Record:
    base = Record("a", "a", "ns", "objects", ReleaseState.APPLIED, inputs="x", hooks=hooks)
    return replace(base, **changed)


ALL = addon("a", *(f"{event} {event}.yml" for event in EVENTS))


@pytest.mark.parametrize(
    ("action", "operation"),
    [
        (Action.INSTALL, "install"),
        (Action.UPGRADE, "upgrade"),
        (Action.REPAIR, "upgrade"),
        (Action.ADOPT, "upgrade"),
        (Action.REMOVE, "remove"),
        (Action.REFRESH, ""),
        (Action.UNCHANGED, ""),
        (Action.BLOCKED, ""),
    ],
)
def test_an_action_has_the_hooks_of_its_operation(action: Action, operation: str) -> None:
    plan = plan_of(ALL, action)
    take_up([plan], {"a": ALL}, {})
    assert plan.operation == operation
    names = [f"{when}_{operation}" for when in ("before", "after")] if operation else []
    assert [hook.event for hook in plan.hooks] == names


def test_what_is_not_in_the_manifest_has_no_hooks() -> None:
    plan = AddonPlan("gone", Action.REMOVE, "")
    take_up([plan], {}, {"gone": HookState("remove", ("before_remove x.yml",))})
    assert plan.hooks == ()
    assert acted(plan) is None


@pytest.mark.parametrize(
    ("action", "state", "left"),
    [
        # interrupted: what has run does not run again, and an adoption stays one
        (Action.INSTALL, HookState("install", ("before_install before_install.yml",)), ["after_install"]),
        (Action.INSTALL, HookState("upgrade", ("before_upgrade before_upgrade.yml",)), ["after_upgrade"]),
        # applied, hooks after it are left: finished, or started over by a change
        (Action.REFRESH, HookState("install", (), acted=True), ["after_install"]),
        (Action.REFRESH, HookState("install", ("after_install after_install.yml",), acted=True), []),
        (Action.REFRESH, HookState("upgrade", ("before_upgrade before_upgrade.yml",)), []),
        (Action.UPGRADE, HookState("install", ("before_install x",), acted=True), ["before_install", "after_install"]),
        # another operation
        (
            Action.INSTALL,
            HookState("remove", ("before_remove before_remove.yml",)),
            ["before_install", "after_install"],
        ),
        (Action.REMOVE, HookState("install", (), acted=True), ["before_remove", "after_remove"]),
        (Action.REMOVE, HookState("remove", (), acted=True), ["after_remove"]),
    ],
)
def test_a_later_run_goes_on_with_what_the_record_knows(action: Action, state: HookState, left: list[str]) -> None:
    plan = plan_of(ALL, action)
    take_up([plan], {"a": ALL}, {"a": state})
    assert [hook.event for hook in plan.hooks] == left
    if action is Action.REFRESH:
        assert plan.action is (Action.FINISH if left else Action.REFRESH)
        assert plan.changes == bool(left)


def test_hooks_are_noted_until_the_operation_is_over() -> None:
    one = addon("a", "before_install x.yml", "before_install y.yml", "after_install z.yml")
    first = noted(None, one, "install", "before_install x.yml", who="me", when="now")
    assert first is not None
    assert first.hooks_alone
    assert (first.state, first.inputs, first.objects) == (ReleaseState.PENDING, "", ())
    second = noted(first, one, "install", "before_install y.yml")
    assert second is not None
    assert second.hooks == HookState("install", ("before_install x.yml", "before_install y.yml"))
    plan = plan_of(one)
    take_up([plan], {"a": one}, {"a": second.hooks})
    assert [hook.name for hook in plan.hooks] == ["after_install z.yml"]
    assert begun(plan) == second.hooks
    state = acted(plan)
    assert state is not None
    assert state.acted
    over = noted(record(state), one, "install", "after_install z.yml")
    assert over == record(None)


def test_a_removals_record_goes_with_its_last_hook() -> None:
    one = addon("a", "after_remove x.yml", "after_remove y.yml")
    known = record(HookState("remove", (), acted=True), inputs="")
    assert known.hooks_alone
    left = noted(known, one, "remove", "after_remove x.yml")
    assert left is not None
    assert noted(left, one, "remove", "after_remove y.yml") is None


def test_a_record_that_another_run_has_taken_over_is_left_alone() -> None:
    one = addon("a", "before_install w.yml", "after_install x.yml")
    for known in (None, record(None), record(HookState("upgrade", (), acted=True)), record(HookState("install"))):
        assert noted(known, one, "install", "after_install x.yml") == known


def test_a_hook_before_it_begins_the_operation_anew_where_all_was_applied() -> None:
    known = record(HookState("install", ("before_install b.yml", "after_install c.yml"), acted=True))
    again = noted(known, addon("a", "before_install b.yml"), "install", "before_install b.yml")
    assert again is not None
    assert again.hooks == HookState("install", ("before_install b.yml",))


def test_the_record_keeps_the_state_of_hooks() -> None:
    for state in (None, HookState("upgrade", ("before_upgrade x.yml",), acted=True)):
        body = to_config_map(record(state), name="n", cluster="c", namespace="s")
        assert from_config_map(body, name="n", cluster="c") == record(state)


CHAIN = [
    addon("a", "after_install a.yml"),
    addon("b", "before_install b1.yml", "before_install b2.yml", depends=("a",)),
    addon("c", depends=("b",)),
    addon("d", "before_install d.yml"),
    addon("e", depends=("a",)),
    addon("f"),
]


def one_segment(
    addons: list[Addon], states: dict[str, HookState], earlier: Earlier, fail: tuple[str, ...] = ()
) -> tuple[list[str], list[str], dict[str, Result]]:
    """Names in the order in which they ran, hooks that are due, and results of the run so far."""
    plans = [plan_of(one) for one in addons]
    known = {one.name: one for one in addons}
    take_up(plans, known, states)
    settle(plans, earlier)
    acting = [p for p in plans if p.acts or p.action is Action.BLOCKED]
    segment = Segment(acting)
    graph = {p.name: {d for d in p.depends if d in {q.name for q in acting}} for p in acting}
    ran: list[str] = []

    def task(name: str) -> None:
        ran.append(name)
        if name in fail:
            raise ActError("SLW-4101", "failed")

    blocked = {p.name: p.reason for p in acting if p.action is Action.BLOCKED}
    schedule = Schedule(graph, task, 1, blocked, segment.held, segment.opened)
    results = schedule.run([p.name for p in acting])
    due = segment.due(graph, results, known, ("tls",))
    check_new(due, earlier)
    return ran, [f"{hook.addon} {hook.name}" for hook in due], merged(earlier.results, results)


def test_everything_free_runs_and_the_rest_waits_for_its_hooks() -> None:
    ran, due, results = one_segment(CHAIN, {}, Earlier())
    assert ran == ["a", "f"]
    assert due == ["a after_install a.yml", "d before_install d.yml"]
    earlier = Earlier(results)
    states = {"d": HookState("install", ("before_install d.yml",))}
    ran, due, results = one_segment(CHAIN, states, earlier)
    assert ran == ["d", "e"]
    assert due == ["b before_install b1.yml", "b before_install b2.yml"]
    states["b"] = HookState("install", ("before_install b1.yml", "before_install b2.yml"))
    ran, due, results = one_segment(CHAIN, states, Earlier(results))
    assert (ran, due) == (["b", "c"], [])
    assert {name for name, result in results.items() if result.done} == set("abcdef")


def test_a_failed_hook_takes_its_dependents_along_and_nothing_else() -> None:
    _ran, _due, results = one_segment(CHAIN, {}, Earlier())
    earlier = Earlier({**results, "a": FAILED})
    states = {"d": HookState("install", ("before_install d.yml",))}
    ran, due, results = one_segment(CHAIN, states, earlier)
    assert (ran, due) == (["d"], [])
    assert [results[name].outcome for name in "abce"] == [Outcome.FAILED] + [Outcome.SKIPPED] * 3
    # what failed is not tried again by the same run, whatever its plan says now
    ran, due, again = one_segment(CHAIN, states, Earlier(results))
    assert (ran, due, again) == ([], [], results)


def test_a_failure_before_a_hook_skips_it() -> None:
    addons = [addon("a"), addon("b", "before_install b.yml", depends=("a",))]
    ran, due, results = one_segment(addons, {}, Earlier(), fail=("a",))
    assert (ran, due) == (["a"], [])
    assert results["b"].outcome is Outcome.SKIPPED


def test_without_hooks_a_circle_is_still_an_error() -> None:
    with pytest.raises(ValueError, match="circle"):
        Schedule({"a": {"b"}, "b": {"a"}}, lambda name: None, 1).run(["a", "b"])


def test_a_hook_that_is_due_twice_ends_the_run() -> None:
    addons = [addon("a", "before_install b.yml")]
    _ran, due, results = one_segment(addons, {}, Earlier())
    assert due
    with pytest.raises(ActError, match="SLW-4602"):
        one_segment(addons, {}, Earlier(results, ran=(("a", "before_install b.yml"),)))


def test_what_a_hook_may_know() -> None:
    one = addon("a", "before_upgrade b.yml", "before_install b.yml")
    for action, state, told in (
        (Action.ADOPT, {}, "adopt"),
        (Action.REPAIR, {}, "repair"),
        (Action.INSTALL, {"a": HookState("upgrade")}, "upgrade"),
    ):
        plan = plan_of(one, action)
        take_up([plan], {"a": one}, state)
        (hook,) = Segment([plan]).due({}, {}, {"a": one}, ("tls", "db"))
        assert hook.as_dict()["variables"] == {
            "name": "a",
            "namespace": "ns",
            "release": "a",
            "version": "2",
            "version_from": "1",
            "action": told,
            "capabilities": ["tls", "db"],
        }
        assert json.loads(json.dumps(hook.as_dict())) == hook.as_dict()


def test_consents_name_no_add_on_that_is_gone_by_now() -> None:
    consent = Consent(addons=("a", "b"), prune=frozenset({"a", "c"}), pvcs=frozenset({"a"}))
    rest = Earlier({"a": DONE}).rest(consent)
    assert (rest.addons, rest.prune, rest.pvcs) == (("b",), {"c"}, {"a"})


def test_state_travels_as_json() -> None:
    state = json.loads(json.dumps(to_state(["a", "b"], {"a": SKIPPED}, [("a", "before_install x")], 100.0)))
    earlier = from_state(state, 107.5)
    assert earlier == Earlier({"a": SKIPPED}, ("a", "b"), (("a", "before_install x"),), 7.5)
    assert from_state({}, 5.0) == Earlier()
    assert finished(["a", "b"], {"a": FAILED})["b"].done


def report(plans: list[AddonPlan], results: dict[str, Result], **more: Any) -> Report:
    plan = Plan("n", "c" * 8, plans, seconds=1.0, requests=10, helm_processes=1)
    return Report(plan, results, more.get("kept", {}), 2.0)


def test_segments_read_as_one_report() -> None:
    masker = Masker(["topsecret"])
    a, b = plan_of(addon("a")), plan_of(addon("b", depends=("a",)))
    first = run_dict({}, report([a, b], {"a": DONE}, kept={"a": ["x: y"]}), {"a": DONE}, {}, masker)
    assert first["result"] == "changes"
    later_a, later_b = plan_of(addon("a"), Action.UNCHANGED), plan_of(addon("b"), Action.UPGRADE)
    new = plan_of(addon("c"), Action.REPAIR)
    results = {"a": DONE, "b": DONE, "c": Result(Outcome.DONE, "topsecret")}
    whole = run_dict(first, report([later_a, later_b, new], results), results, {"a": DONE}, masker)
    assert [(x["name"], x["action"]) for x in whole["addons"]] == [("a", "install"), ("b", "upgrade"), ("c", "repair")]
    assert {name: r["outcome"] for name, r in whole["results"].items()} == dict.fromkeys("abc", "done")
    assert (whole["seconds"], whole["api_requests"], whole["helm_processes"]) == (6.0, 20, 2)
    assert whole["kept"] == {"a": ["x: y"]}
    assert whole["result"] == "changes"
    assert "topsecret" not in json.dumps(whole)
    failed = run_dict(first, report([later_a, later_b], {"b": FAILED}), {"a": DONE, "b": FAILED}, {"a": DONE}, masker)
    assert failed["result"] == "error"


def test_the_plan_names_the_hooks_and_is_shown_once() -> None:
    plan = plan_of(ALL)
    take_up([plan], {"a": ALL}, {})
    whole = Plan("n", "c" * 8, [plan, plan_of(addon("b"), Action.REPAIR)])
    lines = plan_lines(whole, Masker())
    at = lines.index("    hook before_install before_install.yml")
    assert lines[at - 1].startswith("+ a ")
    assert lines[at + 1] == "    hook after_install after_install.yml"
    assert sum("hook" in line for line in lines) == 2
    assert [line[:3] for line in more_lines(whole, ["a"], Masker())] == ["~ b"]
