# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Labels, taints and annotations: what the inventory may say, and what follows for a node."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks import (
    REMEMBERED,
    Change,
    differences,
    live_marks,
    memory_of,
    patch_of,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_wanted import Marks, Taint, read_marks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity

Json = dict[str, Any]


def node(
    labels: Json | None = None, taints: list[str] | None = None, annotations: Json | None = None, memory: str = ""
) -> Json:
    remembered = {REMEMBERED: memory} if memory else {}
    return {
        "metadata": {
            "name": "n1",
            "uid": "u1",
            "resourceVersion": "7",
            "labels": dict(labels or {}),
            "annotations": {**(annotations or {}), **remembered},
        },
        "spec": {"taints": [item(text) for text in taints or []]},
    }


def item(text: str) -> Json:
    left, _colon, effect = text.rpartition(":")
    key, _equals, value = left.partition("=")
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def marks(labels: Json | None = None, taints: tuple[str, ...] = (), annotations: Json | None = None) -> Marks:
    found, problems = read_marks(labels, list(taints), annotations, host="n1")
    assert problems == []
    return found


def after(before: Json, patch: Json) -> Json:
    """What the API server makes of a merge patch, as far as these go."""
    changed = copy.deepcopy(before)
    for kind in ("labels", "annotations"):
        for key, value in patch["metadata"].get(kind, {}).items():
            if value is None:
                changed["metadata"][kind].pop(key, None)
            else:
                changed["metadata"][kind][key] = value
    if "spec" in patch:
        changed["spec"]["taints"] = patch["spec"]["taints"]
    return changed


def settled(before: Json, wanted: Marks) -> Json:
    return after(before, patch_of(before, differences(before, wanted)))


def problem(labels: object = None, taints: object = None, annotations: object = None) -> Problem:
    _marks, problems = read_marks(labels, taints, annotations, host="n1", where="hosts.yml:3:5")
    assert len(problems) == 1, problems
    assert problems[0].host == "n1"
    assert problems[0].where == "hosts.yml:3:5"
    return problems[0]


def test_formats_of_kubespray() -> None:
    found = marks(
        {"disk": "ssd", "example.com/rack": 7, "empty": ""},
        ("dedicated=batch:NoSchedule", "example.com/gpu:NoExecute", "plain=:PreferNoSchedule"),
        {"note": "anything: at all, {really}"},
    )
    assert found.labels == {"disk": "ssd", "example.com/rack": "7", "empty": ""}
    assert found.taints == (
        Taint("dedicated", "batch", "NoSchedule"),
        Taint("example.com/gpu", "", "NoExecute"),
        Taint("plain", "", "PreferNoSchedule"),
    )
    assert read_marks(None, None, None, host="n1") == (Marks(), [])


@pytest.mark.parametrize(
    ("labels", "taints", "code", "said"),
    [
        ("disk=ssd", None, "SLW-8601", "node_labels is text"),
        (["disk=ssd"], None, "SLW-8601", "node_labels is a list"),
        (None, "a=b:NoSchedule", "SLW-8601", "node_taints is text"),
        (None, {"a": "b"}, "SLW-8601", "node_taints is a mapping"),
        ({"gpu": True}, None, "SLW-8602", "a truth value (True)"),
        ({"version": 1.2}, None, "SLW-8602", "a number (1.2)"),
        ({"a": ["b"]}, None, "SLW-8602", "a list"),
        ({"disk type": "ssd"}, None, "SLW-8603", "'disk type'"),
        ({"Example.com/disk": "ssd"}, None, "SLW-8603", "DNS name"),
        ({"/disk": "ssd"}, None, "SLW-8603", "DNS name"),
        ({"disk": "a b"}, None, "SLW-8603", "the value 'a b'"),
        ({"disk": "x" * 64}, None, "SLW-8603", "the value"),
        ({"d" * 64: "x"}, None, "SLW-8603", "1 to 63"),
        (None, ["dedicated=batch:NoSchedul"], "SLW-8604", "there is no effect 'NoSchedul'"),
        (None, ["dedicated=batch"], "SLW-8604", "has no key or no effect"),
        (None, ["dedicated=batch:NoSchedule-"], "SLW-8604", "no effect 'NoSchedule-'"),
        (None, [{"key": "a", "effect": "NoSchedule"}], "SLW-8604", "is a mapping"),
        (None, ["a b=c:NoSchedule"], "SLW-8604", "'a b'"),
        (None, ["a=b c:NoSchedule"], "SLW-8604", "the value 'b c'"),
        (None, ["a=b:NoSchedule", "a=c:NoSchedule"], "SLW-8605", "a=b:NoSchedule and a=c:NoSchedule"),
        (None, ["node.kubernetes.io/not-ready:NoSchedule"], "SLW-8606", "by itself"),
        ({"slipway.cluster/mine": "1"}, None, "SLW-8606", "remembers"),
    ],
)
def test_wrong_marks_are_problems(labels: object, taints: object, code: str, said: str) -> None:
    found = problem(labels, taints)
    assert found.code == code
    assert said in found.message
    assert found.severity is Severity.ERROR


def test_near_effect_is_named() -> None:
    assert problem(None, ["a=b:noschedule"]).remedy == "did you mean 'NoSchedule'?"
    assert "PreferNoSchedule or NoExecute" in problem(None, ["a=b:Evict"]).remedy


def test_taint_of_key_with_two_effects_is_right() -> None:
    assert len(marks(None, ("a=b:NoSchedule", "a=b:NoExecute", "a=b:NoSchedule")).taints) == 2


def test_labels_of_components_are_left_to_them() -> None:
    found, problems = read_marks({"kubernetes.io/hostname": "other", "disk": "ssd"}, None, None, host="n1")
    assert found.labels == {"disk": "ssd"}
    assert [(p.code, p.severity) for p in problems] == [("SLW-8606", Severity.WARNING)]


def test_annotations_have_a_size() -> None:
    assert problem(None, None, {"a": "x" * 300_000}).code == "SLW-8603"
    assert problem(None, None, {"a b": "x"}).code == "SLW-8603"


def test_all_problems_at_once() -> None:
    _marks, problems = read_marks({"a b": "c", "d": 1.5}, ["x:Y", "z"], "text", host="n1")
    assert [p.code for p in problems] == ["SLW-8603", "SLW-8602", "SLW-8604", "SLW-8604", "SLW-8601"]


def test_node_is_marked_and_remembers() -> None:
    before = node({"other": "1"}, ["foreign:NoSchedule"], {"theirs": "x"})
    wanted = marks({"disk": "ssd"}, ("a=b:NoExecute",), {"rack": "7"})
    found = differences(before, wanted)
    assert found.changes == (
        Change("label", "disk", None, "ssd"),
        Change("annotation", "rack", None, "7"),
        Change("taint", "a:NoExecute", None, "b"),
    )
    patch = patch_of(before, found)
    assert patch["metadata"]["resourceVersion"] == "7"
    assert patch["spec"]["taints"] == [item("foreign:NoSchedule"), item("a=b:NoExecute")]
    now = after(before, patch)
    assert not differences(now, wanted).writes
    assert live_marks(now).labels == {"other": "1", "disk": "ssd"}


def test_what_is_no_longer_wanted_is_removed_and_nothing_else() -> None:
    first = marks({"disk": "ssd", "zone": "a"}, ("a=b:NoExecute", "c:NoSchedule"), {"rack": "7"})
    then = settled(node({"other": "1"}, ["foreign:NoSchedule"], {"theirs": "x"}), first)
    found = differences(then, marks({"zone": "a"}))
    assert {str(c) for c in found.changes} == {
        "label disk removed: no longer in the inventory",
        "annotation rack removed: no longer in the inventory",
        "taint a:NoExecute removed: no longer in the inventory",
        "taint c:NoSchedule removed: no longer in the inventory",
    }
    now = after(then, patch_of(then, found))
    assert live_marks(now) == Marks({"other": "1", "zone": "a"}, (Taint("foreign", "", "NoSchedule"),), {"theirs": "x"})


def test_what_others_have_changed_since_is_left() -> None:
    then = settled(node(), marks({"disk": "ssd"}, ("a=b:NoExecute",)))
    then["metadata"]["labels"]["disk"] = "nvme"
    then["spec"]["taints"] = [item("a=other:NoExecute")]
    found = differences(then, Marks())
    assert found.changes == ()
    assert found.left == ("label disk: nvme", "taint a:NoExecute: other")
    assert found.writes
    now = after(then, patch_of(then, found))
    assert REMEMBERED not in now["metadata"]["annotations"]
    assert now["metadata"]["labels"] == {"disk": "nvme"}


def test_what_others_have_removed_already_is_forgotten() -> None:
    then = settled(node(), marks({"disk": "ssd"}, ("a=b:NoExecute",)))
    then["metadata"]["labels"].clear()
    then["spec"]["taints"] = []
    found = differences(then, Marks())
    assert (found.changes, found.left, found.memory, found.writes) == ((), (), None, True)


def test_what_others_have_changed_is_set_again_while_wanted() -> None:
    wanted = marks({"disk": "ssd"}, ("a=b:NoExecute",))
    then = settled(node(), wanted)
    then["metadata"]["labels"]["disk"] = "nvme"
    then["spec"]["taints"] = [{**item("a=x:NoExecute"), "timeAdded": "2026-11-22T00:00:00Z"}]
    found = differences(then, wanted)
    assert [str(c) for c in found.changes] == ["label disk: nvme -> ssd", "taint a:NoExecute: x -> b"]
    assert after(then, patch_of(then, found))["spec"]["taints"] == [item("a=b:NoExecute")]


def test_what_kubespray_has_set_already_is_remembered_without_a_change() -> None:
    """Its own roles set labels and taints, and never remove them."""
    wanted = marks({"disk": "ssd"})
    found = differences(node({"disk": "ssd"}), wanted)
    assert found.changes == ()
    assert found.writes
    assert found.memory == memory_of(wanted)


def test_time_of_others_taints_is_kept() -> None:
    before = node(taints=["x:NoSchedule"])
    before["spec"]["taints"] = [{"key": "k", "effect": "NoExecute", "timeAdded": "2026-11-22T00:00:00Z"}]
    patch = patch_of(before, differences(before, marks(None, ("a=b:NoSchedule",))))
    assert patch["spec"]["taints"][0]["timeAdded"] == "2026-11-22T00:00:00Z"


def test_nothing_wanted_and_nothing_remembered_writes_nothing() -> None:
    assert not differences(node({"other": "1"}, ["foreign:NoSchedule"]), Marks()).writes


@pytest.mark.parametrize("memory", ["no json", "[]", "{}", '{"labels": 1, "taints": [], "annotations": {}}', "null"])
def test_unreadable_memory_removes_nothing(memory: str) -> None:
    found = differences(node({"disk": "ssd"}, memory=memory), Marks())
    assert found.unreadable
    assert found.changes == ()
    assert found.memory is None
    assert found.writes


_keys = st.sampled_from(["a", "b", "example.com/c", "d"])
_labels = st.dictionaries(_keys, st.sampled_from(["", "1", "2"]))
_taints = st.lists(
    st.builds("{}={}:{}".format, _keys, st.sampled_from(["", "1"]), st.sampled_from(["NoSchedule", "NoExecute"])),
    unique_by=lambda text: (text.partition("=")[0], text.rpartition(":")[2]),
)
_wanted = st.builds(lambda labels, taints, notes: marks(labels, tuple(taints), notes), _labels, _taints, _labels)


@given(_labels, _taints, _labels, st.lists(_wanted, min_size=1, max_size=4))
def test_any_row_of_inventories_ends_as_the_last_one_says(
    labels: Json, taints: list[str], notes: Json, row: list[Marks]
) -> None:
    """Whatever was there before and never wanted stays; whatever was wanted and is not any more is gone."""
    before = now = node(labels, taints, notes)
    for wanted in row:
        now = settled(now, wanted)
        assert not differences(now, wanted).writes
    last, start, end = row[-1], live_marks(before), live_marks(now)
    ever = {key for wanted in row for key in wanted.labels}
    assert end.labels == {**{k: v for k, v in start.labels.items() if k not in ever}, **last.labels}
    taints_ever = {taint.identity for wanted in row for taint in wanted.taints}
    kept = {taint for taint in start.taints if taint.identity not in taints_ever}
    assert set(end.taints) == kept | set(last.taints)
