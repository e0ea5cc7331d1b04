# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The status of nodes tells what is there and what is not as the inventory says, also where not all can be seen."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.claim import Claim, claim_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_wanted import read_marks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import (
    CONTROL_PLANE,
    ETCD,
    WORKER,
    Actual,
    Desired,
    actual,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import Wanted
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.status import Found, Status, status
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_status import status_dict, status_lines
from tests.unit.nodes.objects import node

FIRST = Desired("cp1", frozenset({CONTROL_PLANE, ETCD}), "10.0.0.1", {"cidr": "a"}, "hosts.yml:3")
WORKERS = tuple(
    Desired(f"w{n}", frozenset({WORKER}), f"10.0.1.{n}", {"cidr": "a"}, f"hosts.yml:{n}") for n in range(1, 4)
)
HOSTS = (FIRST, *WORKERS)
SINCE = "2026-01-02T03:04:05Z"


def live(**more: dict[str, Any]) -> dict[str, Actual]:
    """All hosts are Ready nodes, but for what is said of some."""
    found = {}
    for host in HOSTS:
        one = Actual(host.name, host.roles - {ETCD}, True, "KubeletReady", "1.35.4", (host.address,), False, "u", SINCE)
        found[host.name] = replace(one, **more.get(host.name, {}))
    return found


def found(**more: Any) -> Found:
    record = Record("prod", "2.31.0", "1.35.4").with_hosts(HOSTS)
    return replace(Found(live=live(), server="1.35.4", record=record, installed="2.31.0"), **more)


def told(seen: Found, *hosts: Desired, **more: Any) -> Status:
    wanted = Wanted("plan", "prod", hosts or HOSTS, seen.installed, "1.35.4", inventory="here")
    return status(replace(wanted, **more), seen, {})


def lines(one: Status, *, verbose: bool = False) -> list[str]:
    return list(status_lines(one, verbose=verbose))


def test_all_in_order_is_one_line_and_a_count() -> None:
    one = told(found())
    assert one.result == "unchanged"
    assert lines(one) == [
        "NODES prod  Kubernetes 1.35.4  Kubespray 2.31.0  built by Slipway  4 nodes: 4 Ready  result: unchanged",
        "= 4 in order (-v shows them)",
    ]
    assert status_dict(one)["counts"] == {"Ready": 4}


def test_each_node_when_asked() -> None:
    assert lines(told(found()), verbose=True)[1:3] == [
        "= cp1  control-plane+etcd  Ready      1.35.4    10.0.0.1",
        "= w1   worker              Ready      1.35.4    10.0.1.1",
    ]


@pytest.mark.parametrize(
    ("said", "sign", "note", "result"),
    [
        ({"ready": False, "reason": "NodeStatusUnknown"}, "!", f"NodeStatusUnknown since {SINCE}", "error"),
        ({"cordoned": True}, "!", "cordoned", "unchanged"),
        ({"kubelet": "1.34.7"}, "!", "kubelet: the API server has 1.35.4", "unchanged"),
        ({"kubelet": "1.31.9"}, "!", "kubelet: more than 3 minor versions behind the API server", "unchanged"),
        (
            {"kubelet": "1.36.0"},
            "!",
            "kubelet: newer than the API server (1.35.4), which is not supported",
            "unchanged",
        ),
    ],
    ids=["not ready", "cordoned", "behind", "far behind", "newer"],
)
def test_what_is_to_be_known_of_a_node(said: dict[str, Any], sign: str, note: str, result: str) -> None:
    one = told(found(live=live(w2=said)))
    assert one.result == result
    shown = lines(one)
    assert shown[1].startswith(f"{sign} w2  ")
    assert note in shown[1]
    assert shown[2] == "= 3 in order (-v shows them)"


def test_counts() -> None:
    said = {"w1": {"ready": False}, "w2": {"cordoned": True, "kubelet": "1.34.7"}}
    one = told(found(live=live(**said)), *HOSTS, replace(WORKERS[0], name="w9"))
    assert "5 nodes: 3 Ready, 1 not Ready, 1 cordoned, 1 skewed, 1 join" in lines(one)[0]


def test_nodes_that_are_not_as_in_the_inventory() -> None:
    changed = replace(WORKERS[1], variables={"cidr": "b"})
    one = told(found(), FIRST, WORKERS[0], changed, replace(WORKERS[0], name="w9", where="hosts.yml:9"))
    assert one.result == "changes"
    assert lines(one)[1:] == [
        "~ w2  worker  Ready      1.35.4    10.0.1.2         converge: changed: cidr  hosts.yml:2",
        "+ w9  worker  -          -         -                join: in inventory, not in cluster  hosts.yml:9",
        "? w3  worker  Ready      1.35.4    10.0.1.3         stranger: in cluster, not in inventory any more  here",
        "= 2 in order (-v shows them)",
    ]


def test_what_no_run_touches_is_told_and_is_no_change() -> None:
    """As the plan says of them: nothing to do."""
    stranger = told(found(), *HOSTS[:-1])
    absent = told(found(), *HOSTS[:-1], replace(HOSTS[-1], variables={"cidr": "b"}), absent=frozenset({"w3"}))
    for one, action in ((stranger, "stranger"), (absent, "absent")):
        assert (one.result, one.changes) == ("unchanged", False)
        assert lines(one)[0].endswith(f"4 nodes: 4 Ready, 1 {action}  result: unchanged")
        assert lines(one)[1].startswith("? w3  ")
        assert f"{action}: " in lines(one)[1]
        assert lines(one)[2] == "= 3 in order (-v shows them)"


def test_variables_are_not_compared_without_kubespray() -> None:
    missing = Problem("SLW-8001", "it is not installed", severity=Severity.WARNING)
    bare = [replace(host, variables={}) for host in HOSTS]
    one = told(found(installed="", problems=[missing]), *bare, kubernetes="")
    assert one.result == "unchanged"
    assert "Kubespray 2.31.0 (none installed)" in lines(one)[0]
    assert lines(one)[-1] == f"! {missing}"
    # What can be compared still is.
    moved = replace(bare[1], address="10.0.9.9")
    assert told(found(installed=""), bare[0], moved, *bare[2:]).result == "changes"


def test_other_versions_than_the_record() -> None:
    one = told(found(installed="2.32.0"))
    assert "Kubespray 2.31.0 (2.32.0 installed)" in lines(one)[0]
    assert "! cluster  Kubespray 2.31.0 -> 2.32.0" in lines(one)
    assert one.result == "changes"
    one = told(found(), kubernetes="1.36.0")
    assert one.result == "changes"
    assert "SLW-8305" in lines(one)[-1]


@pytest.mark.parametrize(("adopted", "word"), [(True, "adopted"), (False, "built by Slipway")])
def test_who_built_it(*, adopted: bool, word: str) -> None:
    record = Record("prod", "2.31.0", "1.35.4", adopted=adopted).with_hosts(HOSTS)
    assert f"  {word}  " in lines(told(found(record=record)))[0]


def test_without_a_record_nodes_are_not_told_one_by_one() -> None:
    one = told(found(record=None))
    assert one.result == "changes"
    assert "  Kubespray: 2.31.0 installed  no record  " in lines(one)[0]
    assert "= 4 in order (-v shows them)" in lines(one)
    assert any("SLW-8302" in line for line in lines(one))


def test_without_a_cluster() -> None:
    one = told(found(there=False, live=None, server="", record=None))
    assert one.result == "changes"
    assert lines(one) == [
        "NODES prod  there is no cluster yet  Kubespray: 2.31.0 installed  result: changes",
        "+ 4 of the inventory would join (-v shows them)",
    ]


def test_an_api_that_does_not_answer() -> None:
    silent = Problem("SLW-8311", "there is a cluster, and its API does not answer")
    claim = Claim("jane@a pid 3", "upgrade", "cluster", 1767323045.0, 60.0)
    one = told(found(live=None, server="", record=None, problems=[silent], claim=claim))
    assert one.result == "error"
    assert lines(one) == [
        "NODES prod  the API does not answer  Kubespray: 2.31.0 installed  result: error",
        f"! cluster  jane@a pid 3 works on the nodes since {SINCE} (upgrade, Kubespray's cluster is through)",
        "? 4 in the inventory (-v shows them)",
        f"! {silent}",
    ]
    assert [node["action"] for node in status_dict(one)["nodes"]] == ["unknown"] * 4


def test_a_record_that_cannot_be_read() -> None:
    broken = Problem("SLW-8310", "the cluster record cannot be read")
    one = told(found(record=None, problems=[broken]))
    assert one.result == "error"
    assert "4 nodes: 4 Ready" in lines(one)[0]
    assert f"! {broken}" in lines(one)


def test_a_host_for_etcd_alone_is_no_node() -> None:
    etcd = Desired("etcd1", frozenset({ETCD}), "10.0.0.9")
    record = Record("prod", "2.31.0", "1.35.4").with_hosts((*HOSTS, etcd))
    one = told(found(record=record), *HOSTS, etcd)
    assert one.result == "unchanged"
    assert lines(one)[-1] == "= 5 in order (-v shows them)"
    assert "etcd alone" in lines(one, verbose=True)[-1]


def test_roles_that_the_api_does_not_tell() -> None:
    both = replace(WORKERS[0], roles=frozenset({WORKER, "route-reflector"}))
    one = told(found(), FIRST, both, *WORKERS[1:])
    assert next(node.roles for node in one.nodes if node.name == both.name) == (WORKER, "route-reflector")


def test_a_run_that_died() -> None:
    written = {
        "holder": "jane@a pid 3",
        "operation": "install",
        "stage": "cluster",
        "since": 1767323045,
        "remaining": 9,
    }
    one = told(found(claim=claim_of(written, dead=True)))
    assert one.result == "changes"
    assert lines(one)[1] == (
        "! cluster  an earlier install by jane@a pid 3 did not come to its end, Kubespray's cluster was through; "
        "the next one goes on from there"
    )
    assert status_dict(one)["run"] == {
        "holder": "jane@a pid 3",
        "operation": "install",
        "stage": "cluster",
        "since": SINCE,
        "remaining": 9.0,
        "holds": False,
    }
    alive = claim_of(written, dead=False)
    assert alive is not None
    assert told(found(claim=alive)).result == "unchanged"
    assert not replace(alive, remaining=-1.0).holds
    assert claim_of({}, dead=False) is None


def test_since_when_is_as_the_api_says() -> None:
    body = node("w1", ready=False)
    body["status"]["conditions"][0]["lastTransitionTime"] = SINCE
    assert actual(body).since == SINCE


def test_labels_that_are_not_as_in_the_inventory() -> None:
    wanted = Wanted("plan", "prod", HOSTS, "2.31.0", "1.35.4")
    marks, _problems = read_marks({"tier": "edge"}, None, None, host="w2")
    one = status(wanted, found(objects=[node(host.name) for host in HOSTS]), {"w2": marks})
    assert one.result == "changes"
    assert re.match(r"~ w2  worker  Ready  .* mark: .*tier.*edge", lines(one)[1])
    assert lines(one)[2] == "= 3 in order (-v shows them)"
