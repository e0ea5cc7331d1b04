# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Scaling: when nodes come and go, only what follows them acts; what is unsafe to scale down needs consent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, AddonPlan
from tests.contract.runner import Playbook
from tests.contract.support import CATALOG, ROOT, Cluster, by_name

# They change the number of the lab's nodes.
pytestmark = [pytest.mark.lab, pytest.mark.alone]

CHARTS = Path(__file__).parent / "charts"
NOTHING = (Action.UNCHANGED, Action.REFRESH)


@pytest.fixture
def nodes(lab_env: dict[str, Any]) -> Iterator[Any]:
    """Sets the number of the lab's nodes; one of them is the control plane."""
    known = Cluster(lab_env, Path()).client().list("/api/v1/nodes", metadata=True)

    def number(wanted: int) -> None:
        command = [sys.executable, "-m", "lab", "nodes", str(wanted), "--name", lab_env["name"]]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    yield number
    number(len(known))


def workload(kind: str, name: str, replicas: object) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "a", "image": "example.org/a:1"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def addon(cluster: Cluster, *objects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"namespace": cluster.ns("a"), "objects": list(objects), **more}


def replicas(cluster: Cluster, kind: str, name: str) -> int | None:
    live = cluster.get(f"/apis/apps/v1/namespaces/{cluster.ns('a')}/{kind}/{name}")
    return None if live is None else int(live["spec"]["replicas"])


def acting(plans: dict[str, AddonPlan]) -> list[str]:
    return sorted(name for name, plan in plans.items() if plan.action not in NOTHING)


def test_only_what_follows_the_nodes_acts(shared: Cluster, nodes: Any) -> None:
    """Workers, a zone, a number that has reached its bound, and one that looks at no node."""
    addons = {
        "workers": addon(shared, workload("Deployment", "workers", "{{ slipway_nodes.workers }}")),
        "zone": addon(shared, workload("Deployment", "zone", "{{ slipway_nodes.zones['lab-b'] }}")),
        "bounded": addon(shared, workload("Deployment", "bounded", "{{ [2, slipway_nodes.workers] | min }}")),
        "fixed": addon(shared, workload("Deployment", "fixed", 2)),
        "chart": {
            "chart": {"path": str(CHARTS / "count")},
            "namespace": shared.ns("b"),
            "values": {"replicas": "{{ slipway_nodes.total }}"},
        },
    }
    nodes(4)
    shared.ok(addons, "scale")
    nodes(5)  # node-5 is in lab-b
    more = shared.ok(addons, "scale")
    assert acting(by_name(more.plan)) == ["chart", "workers", "zone"]
    assert sorted(more.results) == ["chart", "workers", "zone"]
    assert more.plan.helm_processes == 1
    assert (replicas(shared, "deployments", "workers"), replicas(shared, "deployments", "zone")) == (4, 2)
    nodes(6)  # in lab-c
    assert acting(by_name(shared.ok(addons, "scale").plan)) == ["chart", "workers"]
    nodes(4)
    assert acting(by_name(shared.ok(addons, "scale").plan)) == ["chart", "workers", "zone"]
    assert (replicas(shared, "deployments", "workers"), replicas(shared, "deployments", "zone")) == (3, 1)
    assert acting(by_name(shared.plan(addons))) == []


def test_scaling_down_what_is_unsafe_needs_consent(shared: Cluster) -> None:
    data = {"use": "certs", "release": "certs", "namespace": shared.ns("a")}

    def addons(count: int, **more: Any) -> dict[str, Any]:
        return {
            "data": {**data, "replicas": count, "scale_down": "unsafe", **more},
            "user": addon(shared, workload("Deployment", "user", count), after=["data"]),
            "other": addon(shared, workload("Deployment", "other", count)),
        }

    shared.ok(addons(3))
    report = shared.run(addons(1), "scale")
    blocked = by_name(report.plan)["data"]
    (finding,) = blocked.problems
    assert (finding.code, blocked.action) == ("SLW-3501", Action.BLOCKED)
    assert f"Deployment {shared.ns('a')}/certs would go down from 3 to 1 replicas" in finding.message
    assert "-e slipway_scale_down=data" in finding.advice
    written = (CATALOG / "certs.yml").read_text(encoding="utf-8")
    assert "replicas: replicas" in written, "the position is that of the manifest's own key, mapped by the entry"
    assert str(finding.position).startswith("addons.yml:")
    manifest = {"slipway_name": shared.name, "slipway_addons": addons(1)}
    lines = yaml.safe_dump(manifest, sort_keys=False).splitlines()
    assert finding.position.line == 1 + lines.index("    replicas: 1")
    assert {name: result.outcome.value for name, result in report.results.items()} == {
        "data": "failed", "user": "skipped", "other": "done",
    }  # fmt: skip
    assert replicas(shared, "deployments", "certs") == 3
    assert replicas(shared, "deployments", "other") == 1
    assert "SLW-3501" in shared.text(addons(1))
    # Up is no matter of consent, nor is anything else of such an add-on; another one's consent is none.
    assert not by_name(shared.plan(addons(4)))["data"].problems
    assert not by_name(shared.plan(addons(3, values={"logLevel": "debug"})))["data"].problems
    assert by_name(shared.plan(addons(1), scale_down=("user",)))["data"].problems
    assert not by_name(shared.plan(addons(1, scale_down="safe")))["data"].problems
    shared.ok(addons(1), "scale", scale_down=("data",))
    assert replicas(shared, "deployments", "certs") == 1


def test_what_would_go_altogether_needs_consent_too(shared: Cluster) -> None:
    """A StatefulSet that the source no longer renders; and replicas that nobody says any more, which become one."""
    silent = workload("StatefulSet", "left", 2)
    del silent["spec"]["replicas"]
    full = [workload("StatefulSet", "gone", 2), workload("StatefulSet", "left", 2)]

    def addons(*objects: dict[str, Any]) -> dict[str, Any]:
        return {"sets": addon(shared, *objects, scale_down="unsafe")}

    shared.ok(addons(*full))
    found = by_name(shared.plan(addons(silent)))["sets"].problems
    assert sorted(finding.message for finding in found) == [
        f"StatefulSet {shared.ns('a')}/gone would be removed with its 2 replicas, and the add-on calls that unsafe",
        f"StatefulSet {shared.ns('a')}/left would go down from 2 to 1 replicas, and the add-on calls that unsafe",
    ]
    assert shared.run(addons(silent)).failed
    assert replicas(shared, "statefulsets", "gone") == 2
    shared.ok(addons(silent), scale_down=("sets",))
    assert replicas(shared, "statefulsets", "gone") is None


def test_what_others_scaled_up_is_not_taken_back_in_silence(shared: Cluster) -> None:
    """What counts is the live number: the manifest's has not changed here."""
    one = {"grown": addon(shared, workload("StatefulSet", "grown", 2), scale_down="unsafe")}
    shared.ok(one)
    path = f"/apis/apps/v1/namespaces/{shared.ns('a')}/statefulsets/grown"
    shared.patch(path, {"spec": {"replicas": 4}})
    (finding,) = by_name(shared.plan(one, overwrite=("grown",)))["grown"].problems
    assert "from 4 to 2" in finding.message
    shared.ok(one)
    assert replicas(shared, "statefulsets", "grown") == 4, "left to whoever scaled it"


def test_through_the_playbook(shared: Cluster, tmp_path: Path) -> None:
    name = Cluster(shared.env, shared.cache, name=f"{shared.name}-p")
    one = {"set": addon(name, workload("StatefulSet", "set", 2), scale_down="unsafe")}
    name.ok(one)
    one["set"]["objects"][0]["spec"]["replicas"] = 1
    text = name.text(one, "scale")
    assert "! set                  blocked" in text
    assert "SLW-3501: move its data off first, then consent: -e slipway_scale_down=set" in text
    book = Playbook(name, tmp_path, one)
    command = book.command("scale", "-e", "slipway_scale_down=set")
    done = subprocess.run(command, env=book.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "~ set                  upgrade" in done.stdout
    assert replicas(name, "statefulsets", "set") == 1
