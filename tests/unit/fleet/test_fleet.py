# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a look at a cluster came to, and how a fleet of them is told."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.fleet.children import Ended
from ansible_collections.slipway.cluster.plugins.module_utils.fleet.cluster import (
    CONDITIONS,
    Behind,
    Cluster,
    Count,
    Failure,
    Fleet,
    cluster_of,
    failures,
    worst,
)
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_json import fleet_dict, fleet_stats
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_junit import fleet_junit
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_page import fleet_page
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_screen import screen_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_text import WIDTH, fleet_lines

DAY = 86400
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def addon(name: str, **more: Any) -> dict[str, Any]:
    told = {"state": "applied", "version": "1.0.0", "offered": "", "behind": False, "moved": [], "drift": []}
    return {"name": name, "healthy": True, **told, **more}


def addons(*every: dict[str, Any], result: str = "unchanged", **more: Any) -> dict[str, Any]:
    return {
        "name": "prod",
        "cluster": "7b1e",
        "kubernetes": "v1.35.4",
        "kubespray": "2.31.0",
        "nodes": {"ready": 3, "total": 3},
        "addons": list(every),
        "lives": [],
        "looked": "2026-01-01T00:00:00Z",
        "result": result,
        **more,
    }


def nodes(*every: dict[str, Any], result: str = "unchanged", **more: Any) -> dict[str, Any]:
    return {
        "name": "prod",
        "there": True,
        "answers": True,
        "kubernetes": "1.35.4",
        "kubespray": {"recorded": "2.31.0", "installed": ""},
        "nodes": list(every),
        "reasons": [],
        "problems": [],
        "result": result,
        **more,
    }


def node(action: str = "unchanged", *, joined: bool = True, ready: bool = True) -> dict[str, Any]:
    return {"action": action, "joined": joined, "ready": ready}


def look(status: int | None = 0, said: str = "", **wrote: Any) -> Cluster:
    return cluster_of("inventories/prod", Ended("prod", status, json.dumps(wrote) if wrote else "", said, 3.21), 300)


def test_a_cluster_by_its_api_alone() -> None:
    found = look(addons=addons(addon("a"), addon("b", healthy=False, state="missing"), result="changes"))
    assert (found.answered, found.failure, found.result) == (True, None, "changes")
    assert (found.kubernetes, found.kubespray, str(found.nodes), str(found.addons)) == (
        "1.35.4",
        "2.31.0",
        "3/3",
        "1/2",
    )
    assert (found.changes, found.conditions) == (1, {"changes"})


def test_nodes_that_are_not_as_written_are_changes_even_where_something_is_not_ready() -> None:
    every = nodes(node(), node(ready=False), node("join", joined=False), node("converge"), result="error")
    found = look(nodes=every, addons=addons(addon("a")))
    assert (found.result, found.changes, found.conditions) == ("error", 2, {"changes"})
    assert look(nodes=nodes(node("adopt"), node("unknown")), addons=addons()).changes == 0
    # Of the cluster as a whole: another version, or nobody has adopted it.
    assert look(nodes=nodes(node(), result="changes"), addons=addons()).changes == 1


def test_nodes_that_no_run_touches_are_no_changes() -> None:
    assert look(nodes=nodes(node("stranger"), node("absent"))).conditions == set()


def test_drift_is_a_field_each_where_it_can_be_told_else_an_object() -> None:
    field = {"object": "Deployment x/y", "field": "spec.replicas", "manager": "kubectl-scale"}
    moved = ["Deployment x/y: fields changed hands", "ConfigMap x/z: is gone"]
    found = look(addons=addons(addon("a", drift=[field], moved=moved), result="drift"))
    assert found.drift == ("a: Deployment x/y spec.replicas, by kubectl-scale", "a: ConfigMap x/z: is gone")
    assert found.conditions == {"drift"}


def test_drift_is_not_hidden_by_what_is_not_ready() -> None:
    sick = addon("a", healthy=False, moved=["ConfigMap x/z: is gone"])
    assert look(addons=addons(sick, result="error")).conditions == {"drift"}


def test_behind_the_catalog() -> None:
    found = look(addons=addons(addon("grafana", version="8.1.0", offered="8.3.2", behind=True), addon("b")))
    assert found.behind == (Behind("grafana", "8.1.0", "8.3.2"),)


def test_where_there_is_no_cluster_yet_that_is_an_answer() -> None:
    found = look(nodes=nodes(node("join", joined=False), there=False, answers=False, result="changes"))
    assert (found.answered, found.nodes, found.addons, found.changes) == (True, None, None, 1)


@pytest.mark.parametrize(
    ("status", "said", "wrote", "code", "words"),
    [
        (2, "", {"failures": ["SLW-6102 no answer (is it up?)", "SLW-1 other"]}, "SLW-6102", "no answer (is it up?)"),
        (2, "", {"failures": ["2 errors:\n  a.yml:3: SLW-1001 unknown key\n  b"]}, "SLW-1001", "a.yml:3: unknown key"),
        (
            4,
            "",
            {"failures": ["Failed to connect: Permission denied"]},
            "SLW-8802",
            "Failed to connect: Permission denied",
        ),
        (1, "[WARNING]: x\nERROR! cannot parse\n", {}, "SLW-8802", "inventories/prod: cannot parse"),
        (1, "[ERROR]: SLW-7043 no token\n", {}, "SLW-7043", "no token"),
        (1, "Traceback\nboom\n\n", {}, "SLW-8802", "inventories/prod: boom"),
        (3, "", {}, "SLW-8802", "inventories/prod: ansible-playbook ended with 3"),
        (None, "ERROR! x", {}, "SLW-8803", "it was not done within 300 s"),
    ],
)
def test_why_it_was_not_looked_at(status: int | None, said: str, wrote: dict[str, Any], code: str, words: str) -> None:
    found = look(status, said, **wrote)
    assert found.failure == Failure(code, words)
    assert (found.answered, found.result, found.conditions) == (False, "error", {"unreachable"})


def test_what_is_known_is_told_where_the_rest_failed() -> None:
    found = look(2, nodes=nodes(node(), node()), failures=["SLW-1203 undefined"])
    assert (found.answered, found.result, str(found.nodes), found.addons) == (True, "error", "2/2", None)
    assert look(None, addons=addons()).answered


def test_what_it_failed_with_is_told_once() -> None:
    problems = [{"code": code, "message": "no answer"} for code in ("SLW-8001", "SLW-6102")]
    found = look(
        2, nodes=nodes(answers=False, problems=problems, result="error"), failures=["SLW-6102 no answer (up?)"]
    )
    assert (found.failure, found.problems) == (Failure("SLW-6102", "no answer (up?)"), ("SLW-8001 no answer",))


def test_half_a_result_is_none() -> None:
    ended = Ended("prod", None, '{"addons": {"na', "", 1.0)
    assert cluster_of("inventories/prod", ended, 5).failure == Failure("SLW-8803", "it was not done within 5 s")


def test_the_worst_result_counts() -> None:
    assert worst(["unchanged", "drift", "changes"]) == "changes"
    assert worst(["drift", "error"]) == "error"
    assert worst([]) == "unchanged"


def life(name: str, left: int, *, near: bool = False) -> dict[str, Any]:
    return {"kind": "certificate", "name": name, "ends": "2026-02-01T00:00:00Z", "left": left, "near": near, "note": ""}


PROD = Cluster(
    "prod",
    "inventories/prod",
    2.0,
    answered=True,
    result="unchanged",
    kubernetes="1.35.4",
    kubespray="2.31.0",
    nodes=Count(300, 300),
    addons=Count(25, 25),
    lives=(life("API server", 364 * DAY),),
    looked="2026-01-01T00:00:00Z",
)
LONG = Cluster(
    "a-cluster-with-a-very-long-name",
    "inventories/long",
    2.0,
    answered=True,
    result="drift",
    kubernetes="1.34.1",
    kubespray="2.30.0",
    nodes=Count(2, 3),
    addons=Count(1, 1),
    drift=("portal: Deployment a/portal spec.replicas, by kubectl-scale",),
    behind=(Behind("grafana", "8.1.0", "8.3.2"),),
    lives=(life("API server", 3 * DAY, near=True),),
)
WORDS = "GET https://10.0.0.1/version: <b>refused</b> \x1b[31m& (is the API server up and reachable?)"
LOST = Cluster("lost", "inventories/lost", 9.0, failure=Failure("SLW-6102", WORDS))
FLEET = Fleet([PROD, LONG, LOST], "2026-01-01T00:00:00Z", 9.5)

LINES = """\
FLEET  3 clusters: 2 answered, 1 did not  result: error
  cluster     Kubernetes  Kubespray    nodes  add-ons  drift  behind  ends first
= prod        1.35.4      2.31.0     300/300    25/25      -       -       364 d
! a-cluster-with-a-very-long-name
              1.34.1      2.30.0         2/3      1/1      1       1         3 d
! a-cluster-with-a-very-long-name  drift    portal: Deployment a/portal
    spec.replicas, by kubectl-scale
! a-cluster-with-a-very-long-name  behind   grafana 8.1.0 -> 8.3.2
! a-cluster-with-a-very-long-name  ends     certificate API server:
    2026-02-01T00:00:00Z (3 d)
? lost  error    SLW-6102 GET https://10.0.0.1/version: <b>refused</b> [31m& (is
    the API server up and reachable?)"""


BROKEN = {"nodes": nodes(node()), "failures": ["SLW-1203 undefined"]}


@pytest.mark.parametrize("fail_on", [["drift"], ["changes"], ["drift", "unreachable"], list(CONDITIONS)])
@pytest.mark.parametrize(
    "one", [look(2, **BROKEN), look(None, nodes=nodes(node()))], ids=["broken manifest", "time was over"]
)
def test_drift_that_nobody_could_look_for_is_no_good_end(one: Cluster, fail_on: list[str]) -> None:
    assert (one.answered, one.conditions) == (True, set())
    (told,) = failures(Fleet([PROD, one], "", 1.0), fail_on)
    assert told.startswith("SLW-8806 prod: could be looked at in part only")


def test_the_end_of_a_run() -> None:
    assert failures(FLEET, []) == []
    assert failures(Fleet([PROD, look(2, **BROKEN)], "", 1.0), []) == []
    # Who does not ask for clusters that are away has some that often are.
    assert failures(Fleet([PROD, LOST], "", 1.0), ["drift", "changes"]) == []
    assert [told[:21] for told in failures(FLEET, CONDITIONS)] == ["SLW-4901 drift: a-clu", "SLW-4901 unreachable:"]
    for fail_on in ([], ["drift"]):
        assert failures(Fleet([LOST], "", 1.0), fail_on)[0].startswith("SLW-8804")
    # Looked at as a whole, and something in it is not ready.
    assert failures(Fleet([look(nodes=nodes(node(ready=False), result="error"))], "", 1.0), CONDITIONS) == []


def test_lines() -> None:
    lines = list(fleet_lines(FLEET))
    assert "\n".join(lines) == LINES
    assert max(map(len, lines)) <= WIDTH
    assert not any(CONTROL.search(line) for line in lines)


def test_more_is_told_to_who_asks_for_it() -> None:
    assert "= prod  ends     certificate API server: 2026-02-01T00:00:00Z (364 d)" in fleet_lines(FLEET, verbose=True)


def test_a_token_that_ends_soon_is_not_what_ends_first() -> None:
    token = {**life("API token of this look", 540), "kind": "token"}
    assert look(addons=addons(lives=[token, life("API server", 9 * DAY)])).first_end == life("API server", 9 * DAY)
    assert look(addons=addons(lives=[token])).first_end is None


def test_a_fleet_of_which_nobody_answered_has_no_table() -> None:
    lines = list(fleet_lines(Fleet(FLEET.clusters[2:], "", 1.0)))
    assert lines[0] == "FLEET  1 cluster: 0 answered, 1 did not  result: error"
    assert len(lines) == 3


def test_on_a_screen_the_same_cells_have_colours() -> None:
    lines = list(screen_lines(FLEET, 100))
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert any(re.fullmatch(r"= +prod +1\.35\.4 +2\.31\.0 +300/300 +25/25 +- +- +364 d *", line) for line in plain)
    assert plain[-1].startswith("    the API server up")
    assert max(map(len, plain_of(PROD))) < WIDTH
    assert any("\x1b[" in line for line in lines)


def plain_of(one: Cluster) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in screen_lines(Fleet([one], "", 1.0), 80)]


def test_nothing_of_a_cluster_is_markup_of_the_page() -> None:
    page = fleet_page(FLEET)
    assert "&lt;b&gt;refused&lt;/b&gt;" in page
    assert "<b>" not in page
    assert not CONTROL.search(page.replace("\n", ""))
    anchors = set(re.findall(r'href="#([^"]+)"', page))
    assert anchors == set(re.findall(r'<h2 id="([^"]+)"', page))
    assert len(anchors) == 3


def test_junit_has_a_case_for_each_cluster() -> None:
    suite = ET.fromstring(fleet_junit(FLEET, ["drift"]))  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert [[child.tag for child in case] for case in suite] == [
        ["system-out"],
        ["failure", "system-out"],
        ["error", "system-out"],
    ]
    assert ET.fromstring(fleet_junit(FLEET, [])).get("failures") == "0"  # noqa: S314 - our own


def test_as_data() -> None:
    data = json.loads(json.dumps(fleet_dict(FLEET)))
    assert (data["result"], data["counts"]["behind"], data["counts"]["unreachable"]) == ("error", 1, 1)
    assert data["clusters"][0]["nodes"] == {"ready": 300, "total": 300}
    assert data["clusters"][2]["nodes"] is None
    short = fleet_stats(FLEET)["clusters"]
    assert (short["prod"]["ends"], short["lost"]["failure"][:8]) == ("2026-02-01T00:00:00Z", "SLW-6102")
