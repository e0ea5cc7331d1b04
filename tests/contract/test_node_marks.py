# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Labels, taints and annotations on a real API server: only what differs is written, and nothing over others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import MERGE, Client
from ansible_collections.slipway.cluster.plugins.module_utils.nodes import marks_apply
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks import REMEMBERED, NodeMarks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_apply import apply_marks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_wanted import Marks, read_marks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from tests.contract.fixtures.nodes import NODES, get_node, nodes_of
from tests.contract.fixtures.plays import play
from tests.contract.support import Cluster

pytestmark = pytest.mark.lab

Json = dict[str, Any]


def marks(labels: Json | None = None, taints: list[str] | None = None, annotations: Json | None = None) -> Marks:
    found, problems = read_marks(labels, taints, annotations, host="n")
    assert problems == []
    return found


@pytest.fixture
def node(cluster: Cluster) -> Iterator[str]:
    with nodes_of(cluster, "a") as (name,):
        yield name


def taints(cluster: Cluster, name: str) -> set[str]:
    found = get_node(cluster, name)["spec"].get("taints") or []
    return {f"{t['key']}={t.get('value', '')}:{t['effect']}" for t in found if not t["key"].startswith("node.")}


class Meddler(Client):
    """Somebody else writes the node just before each of our first writes."""

    def __init__(self, cluster: Cluster, path: str, *bodies: Json) -> None:
        super().__init__(cluster.access, user_agent="meddler")
        self.others = list(bodies)
        self._other = cluster
        self._path = path

    def write(self, method: str, path: str, *args: Any, **more: Any) -> Json:
        if self.others:
            self._other.patch(self._path, self.others.pop(0))
        return super().write(method, path, *args, **more)


def test_set_changed_removed(cluster: Cluster, node: str) -> None:
    client = cluster.client()
    before = get_node(cluster, node)
    cluster.patch(f"{NODES}/{node}", {"metadata": {"labels": {"theirs": "1"}}})
    first = marks({"disk": "ssd", "zone": "a"}, ["a=b:NoSchedule", "c:NoExecute"], {"example.com/rack": "7"})
    plan = apply_marks(client, {node: first})
    assert len(plan.nodes[0].changes) == 5
    now = get_node(cluster, node)
    assert now["metadata"]["labels"] == {**before["metadata"]["labels"], "theirs": "1", "disk": "ssd", "zone": "a"}
    assert {"a=b:NoSchedule", "c=:NoExecute"} < taints(cluster, node)
    assert now["metadata"]["annotations"]["example.com/rack"] == "7"

    apply_marks(client, {node: marks({"zone": "b"}, ["a=b:NoSchedule"])})
    now = get_node(cluster, node)
    assert now["metadata"]["labels"] == {**before["metadata"]["labels"], "theirs": "1", "zone": "b"}
    assert "c=:NoExecute" not in taints(cluster, node)
    assert "example.com/rack" not in now["metadata"]["annotations"]

    apply_marks(client, {node: Marks()})
    now = get_node(cluster, node)
    assert now["metadata"]["labels"] == {**before["metadata"]["labels"], "theirs": "1"}
    assert now["spec"]["taints"] == before["spec"]["taints"]
    assert REMEMBERED not in now["metadata"]["annotations"]


def test_second_run_only_looks(cluster: Cluster, node: str) -> None:
    wanted = {node: marks({"disk": "ssd"}, ["a=b:NoSchedule"])}
    apply_marks(cluster.client(), wanted)
    version = get_node(cluster, node)["metadata"]["managedFields"]
    client = cluster.client()
    assert apply_marks(client, wanted).nodes == ()
    assert client.requests == 1
    assert get_node(cluster, node)["metadata"]["managedFields"] == version


def test_only_nodes_that_differ_are_written(cluster: Cluster) -> None:
    with nodes_of(cluster, *(f"m{number}" for number in range(12))) as names:
        wanted = {name: marks({"disk": "ssd"}) for name in names}
        apply_marks(cluster.client(), wanted)
        wanted[names[3]] = marks({"disk": "nvme"})
        wanted[names[8]] = Marks()
        client = cluster.client()
        told: list[NodeMarks] = []
        plan = apply_marks(client, wanted, emit=told.append)
        assert client.requests == 1 + 2
        assert [one.node for one in plan.nodes] == sorted([names[3], names[8]])
        assert {one.node for one in told} == {names[3], names[8]}


def test_taint_that_another_adds_meanwhile_stays(cluster: Cluster, node: str) -> None:
    """Taints are one list: whoever writes it from what was read before takes out what came since."""
    theirs = {"key": "theirs", "effect": "NoSchedule"}
    spec = {"spec": {"taints": [*get_node(cluster, node)["spec"]["taints"], theirs]}}
    client = Meddler(cluster, f"{NODES}/{node}", spec)
    apply_marks(client, {node: marks({"disk": "ssd"}, ["a=b:NoSchedule"])})
    assert client.others == []
    assert {"theirs=:NoSchedule", "a=b:NoSchedule"} < taints(cluster, node)
    assert get_node(cluster, node)["metadata"]["labels"]["disk"] == "ssd"


def test_label_that_another_takes_over_meanwhile_is_not_removed(cluster: Cluster, node: str) -> None:
    apply_marks(cluster.client(), {node: marks({"disk": "ssd"})})
    client = Meddler(cluster, f"{NODES}/{node}", {"metadata": {"labels": {"disk": "theirs"}}})
    plan = apply_marks(client, {node: Marks()})
    assert client.others == []
    assert plan.nodes[0].left == ("label disk: theirs",)
    assert get_node(cluster, node)["metadata"]["labels"]["disk"] == "theirs"


def test_endless_meddling_is_said(cluster: Cluster, node: str) -> None:
    bodies = [{"metadata": {"labels": {"count": str(n)}}} for n in range(marks_apply.ATTEMPTS)]
    client = Meddler(cluster, f"{NODES}/{node}", *bodies)
    with pytest.raises(NodesError, match=r"SLW-8608 node \S+: .*others change it all the time"):
        apply_marks(client, {node: marks({"disk": "ssd"})})
    assert "disk" not in get_node(cluster, node)["metadata"]["labels"]


def test_dry_run_writes_nothing_and_says_the_same(cluster: Cluster, node: str) -> None:
    wanted = {node: marks({"disk": "ssd"}), "not-there": marks({"a": "b"})}
    client = cluster.client()
    plan = apply_marks(client, wanted, dry=True)
    assert client.requests == 1
    assert "disk" not in get_node(cluster, node)["metadata"]["labels"]
    assert plan.absent == ("not-there",)
    assert apply_marks(cluster.client(), wanted) == plan


def test_nodes_that_are_not_named_are_left_alone(cluster: Cluster) -> None:
    with nodes_of(cluster, "a", "b") as (one, other):
        apply_marks(cluster.client(), {one: marks({"disk": "ssd"}), other: marks({"disk": "ssd"})})
        apply_marks(cluster.client(), {one: Marks()})
        assert get_node(cluster, other)["metadata"]["labels"]["disk"] == "ssd"


def test_refusal_names_every_node(cluster: Cluster) -> None:
    with nodes_of(cluster, "a", "b") as names:
        # Past our own check, so that it is the API server that refuses.
        bad = Marks(labels={"a b": "c"})
        with pytest.raises(NodesError) as caught:
            apply_marks(cluster.client(), {**dict.fromkeys(names, bad)})
        assert [problem.host for problem in caught.value.problems] == names
        assert {problem.code for problem in caught.value.problems} == {"SLW-8608"}


def marked(cluster: Cluster, folder: Path, hosts: Json, *more: str) -> tuple[Json, str]:
    return play(cluster, folder, "node_marks", *more, groups={"kube_node": hosts})


def test_action_reads_the_inventory(cluster: Cluster, node: str, tmp_path: Path) -> None:
    host = {"node_labels": {"disk": "{{ 's' ~ 'sd' }}"}, "node_taints": ["a=b:NoSchedule"]}
    checked, shown = marked(cluster, tmp_path, {node: host}, "--check")
    assert checked["changed"]
    assert "disk" not in get_node(cluster, node)["metadata"]["labels"]
    nobody, _shown = play(cluster, tmp_path, "node_marks", groups={"kube_node": {node: host}}, hosts=[])
    assert (nobody["changed"], nobody["nodes"]) == (False, {})
    done, again = marked(cluster, tmp_path, {"w1": {**host, "kube_override_hostname": node}, "w2": None})
    assert done["nodes"] == checked["nodes"]
    assert done["absent"] == ["w2"]
    assert f"~ node {node} label disk: ssd" in " ".join(shown.split())
    assert f"~ node {node} label disk: ssd" in " ".join(again.split())
    assert get_node(cluster, node)["metadata"]["labels"]["disk"] == "ssd"
    assert not marked(cluster, tmp_path, {node: host})[0]["changed"]
    wrong, _shown = marked(cluster, tmp_path, {node: {"node_taints": ["a=b:No"], "node_labels": {"x y": "z"}}})
    assert wrong["failed"]
    assert [(p["code"], p["host"]) for p in wrong["problems"]] == [("SLW-8603", node), ("SLW-8604", node)]
    gone, _shown = marked(cluster, tmp_path, {node: None})
    assert {c["new"] for c in gone["nodes"][node]} == {None}
    assert "disk" not in get_node(cluster, node)["metadata"]["labels"]
    cluster.client().write("PATCH", f"{NODES}/{node}", {"metadata": {"annotations": {REMEMBERED: "x"}}}, None, MERGE)
    marked(cluster, tmp_path, {node: None})
    assert REMEMBERED not in get_node(cluster, node)["metadata"]["annotations"]
