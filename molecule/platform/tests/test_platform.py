# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A platform of fifteen add-ons: in order, independent ones at the same time, and for nothing the second time."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAME = "platform"
DEPENDS = {
    "issuer": ["certs"],
    "gateway": ["issuer"],
    "metrics": ["storage"],
    "logs": ["storage", "metrics"],
    "log-agent": ["logs"],
    "database": ["storage"],
    "dashboard": ["metrics", "gateway"],
    "portal": ["database", "gateway"],
    "quotas": ["teams"],
}
# Those that take more than a tenth of a second: what progress lines can show.
INDEPENDENT = ("storage", "certs", "policy")
# What a run without changes asks for beside one list for each kind: version, discovery, record, nodes, CRDs, …
CONSTANT = 12
LOGGED = re.compile(r"^\S+ \S+ p=(?P<pid>\d+) .*?\| (INFO *\| )?(?P<text> *\d+\.\d s  \S+ +\S+.*)$")


@pytest.fixture(scope="module")
def spans() -> dict[str, tuple[float, float]]:
    """By add-on: when it was started and when it was ready, in the run that installed."""
    log = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "runs.log").read_text(encoding="utf-8")
    started: dict[str, float] = {}
    found: dict[str, tuple[float, float]] = {}
    for match in filter(None, map(LOGGED.match, log.splitlines())):
        seconds, _, addon, state = match["text"].split()[:4]
        if state == "started":
            started[addon] = float(seconds)
        elif state == "ready":
            found[addon] = (started[addon], float(seconds))
    return found


def test_everything_is_there(kubectl: Callable[..., Any], spans: dict[str, tuple[float, float]]) -> None:
    assert len(spans) == 15
    marked = kubectl("get", "deployments,statefulsets,daemonsets", "-A", "-l", f"slipway.cluster/name={NAME}")
    for workload in marked:
        wanted = workload["spec"].get("replicas", workload["status"].get("desiredNumberScheduled"))
        ready = workload["status"].get("readyReplicas", workload["status"].get("numberReady"))
        assert (workload["metadata"]["name"], ready) == (workload["metadata"]["name"], wanted)
    addons = {w["metadata"]["labels"]["slipway.cluster/addon"] for w in marked}
    assert {"storage", "certs", "metrics", "logs", "gateway", "database", "portal", "dashboard", "policy"} <= addons
    workers = [
        n for n in kubectl("get", "nodes") if "node-role.kubernetes.io/control-plane" not in n["metadata"]["labels"]
    ]
    replicas = kubectl("get", "statefulset", "logs", "-n", "observability")["spec"]["replicas"]
    assert replicas == min(3, len(workers))
    assert kubectl("get", "serviceaccount", "deployer", "-n", "team-a")
    assert kubectl("get", "resourcequota", "-n", "team-a")
    assert kubectl("get", "configmap", "runbook-volumes", "-n", "runbooks")


def test_order_was_kept(spans: dict[str, tuple[float, float]]) -> None:
    for addon, needs in DEPENDS.items():
        for need in needs:
            assert spans[need][1] <= spans[addon][0], f"{addon} was started before {need} was ready"


def test_independent_ones_went_at_the_same_time(spans: dict[str, tuple[float, float]]) -> None:
    for one in INDEPENDENT:
        others = [other for other in INDEPENDENT if other != one]
        assert any(spans[one][0] < spans[other][1] and spans[other][0] < spans[one][1] for other in others), spans
    assert sum(end - start for start, end in spans.values()) > 1.3 * max(end for _, end in spans.values())


def test_the_api_server_saw_the_same(lab: dict[str, Any], spans: dict[str, tuple[float, float]]) -> None:
    """Not what we print, but when the objects were created: two namespaces whose first and last writes cross."""
    written: dict[str, list[str]] = {}
    for line in Path(lab["audit_log"]).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["verb"] == "patch" and entry["userAgent"].startswith("slipway (install)"):
            space = entry.get("objectRef", {}).get("namespace")
            if "dryRun" not in entry["requestURI"] and space in ("certs", "gateway", "observability", "portal"):
                written.setdefault(space, []).append(entry["requestReceivedTimestamp"])
    spaces = {space: (min(times), max(times)) for space, times in written.items()}
    assert spaces["gateway"][0] < spaces["observability"][1]
    assert spaces["observability"][0] < spaces["gateway"][1]
    assert spaces["portal"][0] < spaces["observability"][1]


def test_the_next_run_does_nothing_and_starts_no_helm(
    playbook: Any, lab: dict[str, Any], audited: Callable[[], list[dict[str, Any]]]
) -> None:
    starts = Path(lab["state_dir"], "counted-helm.starts")
    before = starts.read_text(encoding="utf-8").splitlines()
    assert len([line for line in before if line.startswith("template")]) >= 12
    run = playbook("install")
    assert "changed=0" in run.out
    assert run.events == []
    assert (run.report["result"], run.report["helm_processes"]) == ("unchanged", 0)
    assert starts.read_text(encoding="utf-8").splitlines() == before

    requests = audited()
    assert {entry["verb"] for entry in requests} <= {"get", "list"}
    kinds = {
        (entry["objectRef"].get("apiGroup"), entry["objectRef"]["resource"])
        for entry in requests
        if entry["verb"] == "list"
    }
    assert len(kinds) >= 20
    assert len(requests) <= len(kinds) + CONSTANT
    assert run.report["api_requests"] <= len(kinds) + CONSTANT
