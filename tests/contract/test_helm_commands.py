# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Helm's own commands go on to work on our releases, and what they do is seen by our next plan."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, Drift
from tests.contract.fixtures import objects as o
from tests.contract.support import CHARTS, Cluster, eventually

pytestmark = [pytest.mark.lab, pytest.mark.parametrize("cluster", [3, 4], indirect=True)]

REPLICAS = "spec.replicas"


@pytest.fixture(autouse=True)
def home(cluster: Cluster) -> None:
    o.make_namespaces(cluster, cluster.home, cluster.ns("web"))


def web(cluster: Cluster, **values: Any) -> dict[str, Any]:
    chart = {"chart": {"path": str(CHARTS / "portal")}, "namespace": cluster.ns("web"), "timeout": 30}
    return {"web": {**chart, "release": "web", "values": {"host": "a.example.com", **values}}}


def helm(cluster: Cluster, *words: str, **options: Any) -> str:
    return o.helm(cluster, *words, "-n", cluster.ns("web"), **options)


def forced(cluster: Cluster) -> list[str]:
    """Helm 4 applies on the server's side, and our manager owns the fields."""
    return ["--force-conflicts"] if cluster.helm_version == 4 else []


def deployment(cluster: Cluster) -> o.Json:
    live = cluster.get(o.apps("deployments", cluster.ns("web"), "web-portal"))
    assert live is not None
    return live


def history(cluster: Cluster) -> list[tuple[int, str]]:
    return [(item["revision"], item["status"]) for item in json.loads(helm(cluster, "history", "web", "-o", "json"))]


def test_reading_commands_tell_the_truth(cluster: Cluster) -> None:
    addons = web(cluster)
    cluster.ok(addons)
    cluster.ok(web(cluster, replicas=3))
    listed = json.loads(helm(cluster, "list", "-o", "json"))
    assert [(x["name"], x["revision"], x["status"], x["chart"]) for x in listed] == [
        ("web", "2", "deployed", "portal-1.0.0")
    ]
    assert history(cluster) == [(1, "superseded"), (2, "deployed")]
    assert yaml.safe_load(helm(cluster, "get", "values", "web")) == {
        "USER-SUPPLIED VALUES": None,
        "host": "a.example.com",
        "replicas": 3,
    }
    documents = [d for d in yaml.safe_load_all(helm(cluster, "get", "manifest", "web")) if d]
    found = {(d["kind"], d["metadata"]["name"]) for d in documents}
    assert ("Deployment", "web-portal") in found
    assert [d["spec"]["replicas"] for d in documents if d["kind"] == "Deployment"] == [3]
    assert "helm.sh/hook: pre-upgrade" in helm(cluster, "get", "hooks", "web")
    assert "STATUS: deployed" in helm(cluster, "status", "web")
    # `helm test` runs the hook, and it completes.
    assert "Succeeded" in helm(cluster, "test", "web", "--timeout", "20s")
    assert cluster.plan(web(cluster, replicas=3)).result == "unchanged"


def test_t42_rollback_is_seen_and_not_silently_undone(cluster: Cluster) -> None:
    cluster.ok(web(cluster, replicas=3))
    two = web(cluster, replicas=2, host="b.example.com")
    cluster.ok(two)
    helm(cluster, "rollback", "web", "1", *forced(cluster))
    assert deployment(cluster)["spec"]["replicas"] == 3
    assert history(cluster)[-1] == (3, "deployed")

    plan = cluster.plan(two).addons[0]
    drift = {(d.object.split()[0], d.field): d for d in plan.drift}
    release = drift["release", "revision"]
    assert (release.ours, release.live, release.decision) == (2, 3, "report")
    replicas = drift["Deployment", REPLICAS]
    assert (replicas.ours, replicas.live, replicas.decision) == (2, 3, "report")
    assert replicas.manager.startswith("helm")
    text = cluster.text(two)
    assert "revision 2 -> 3" in text
    assert "drift" in text
    # Reported, and left as it is: by plan and by run.
    assert cluster.plan(two).result == "drift"
    cluster.ok(two)
    assert deployment(cluster)["spec"]["replicas"] == 3
    assert cluster.plan(two).result == "drift"

    # A decision ends it.
    cluster.ok(two, overwrite=["web"])
    assert deployment(cluster)["spec"]["replicas"] == 2
    assert history(cluster)[-1][1] == "deployed"
    after = cluster.plan(two)
    assert after.result == "unchanged", _told(after.addons[0].drift)


def _told(drift: list[Drift]) -> list[str]:
    return [f"{d.object} {d.field} {d.note} {d.decision}" for d in drift]


def test_upgrade_by_hand_is_seen(cluster: Cluster) -> None:
    addons = web(cluster, replicas=3)
    cluster.ok(addons)
    chart = str(CHARTS / "portal")
    by_hand = {"host": "a.example.com", "replicas": 4, "podAnnotations": {"by": "hand"}}
    helm(cluster, "upgrade", "web", chart, *forced(cluster), values=by_hand)
    assert deployment(cluster)["spec"]["replicas"] == 4
    plan = cluster.plan(addons)
    assert plan.result == "drift"
    added = "spec.template.metadata.annotations.by"
    assert {d.field for d in plan.addons[0].drift} >= {"revision", REPLICAS, added}
    cluster.ok(addons, overwrite=["web"])
    assert deployment(cluster)["spec"]["replicas"] == 3
    assert "annotations" not in deployment(cluster)["spec"]["template"]["metadata"]
    assert cluster.plan(addons).result == "unchanged"
    # The next change of ours goes through as ever.
    cluster.ok(web(cluster, replicas=2))
    assert deployment(cluster)["spec"]["replicas"] == 2


def test_helm4_without_force_conflicts_fails_and_is_repaired(cluster: Cluster) -> None:
    cluster.ok(web(cluster, replicas=3))
    two = web(cluster, replicas=2)
    cluster.ok(two)
    uid = deployment(cluster)["metadata"]["uid"]
    if cluster.helm_version == 3:
        # Helm 3 knows no server-side apply: there is nothing to force.
        helm(cluster, "rollback", "web", "1")
        assert cluster.plan(two).result == "drift"
        return
    for command in (("rollback", "web", "1"), ("upgrade", "web", str(CHARTS / "portal"), "--set", "replicas=5")):
        assert "conflict" in helm(cluster, *command, rc=1)
        left = history(cluster)[-1]
        assert left[1] == "failed"
        plan = cluster.plan(two).addons[0]
        assert plan.action is Action.REPAIR
        assert f"Helm left revision {left[0]} failed" in plan.reason
        cluster.ok(two)
        assert history(cluster)[-1] == (left[0] + 1, "deployed")
        assert cluster.plan(two).result == "unchanged"
        assert deployment(cluster)["spec"]["replicas"] == 2
        assert deployment(cluster)["metadata"]["uid"] == uid


def test_what_helm_made_beside_it_is_no_obstacle(cluster: Cluster) -> None:
    """With a second replica Helm makes a budget that our revision did not have: ours as soon as we want one."""
    cluster.ok(web(cluster, replicas=1))
    chart, budget = str(CHARTS / "portal"), f"/apis/policy/v1/namespaces/{cluster.ns('web')}/poddisruptionbudgets"
    helm(cluster, "upgrade", "web", chart, *forced(cluster), values={"host": "a.example.com", "replicas": 2})
    made = o.live(cluster, f"{budget}/web-portal")
    two = web(cluster, replicas=2)
    cluster.ok(two, overwrite=["web"])
    assert o.live(cluster, f"{budget}/web-portal")["metadata"]["uid"] == made["metadata"]["uid"]
    assert cluster.plan(two).result == "unchanged"
    cluster.ok(web(cluster, replicas=1))
    assert cluster.get(f"{budget}/web-portal") is None


def test_uninstall_is_seen_and_repaired(cluster: Cluster) -> None:
    addons = web(cluster)
    cluster.ok(addons)
    helm(cluster, "uninstall", "web")
    path = o.apps("deployments", cluster.ns("web"), "web-portal")
    eventually(lambda: cluster.get(path) is None)
    plan = cluster.plan(addons).addons[0]
    assert plan.action is Action.REPAIR
    assert "gone from Helm's storage" in plan.reason
    assert "was deleted" in cluster.text(addons)
    cluster.ok(addons)
    assert cluster.get(path)
    assert [x["name"] for x in json.loads(helm(cluster, "list", "-o", "json"))] == ["web"]
    assert cluster.plan(addons).result == "unchanged"
    # And one that nobody wants back is removed without complaint.
    helm(cluster, "uninstall", "web")
    report = cluster.remove("web")
    assert not report.failed, report.results


def test_t41_pending_release_of_a_killed_helm_is_recovered_without_uninstall(cluster: Cluster) -> None:
    addons = web(cluster)
    cluster.ok(addons)
    uid = deployment(cluster)["metadata"]["uid"]
    words = ["upgrade", "web", str(CHARTS / "portal"), "-n", cluster.ns("web"), "--wait", *forced(cluster)]
    fault = ["--set", "podLabels.lab\\.slipway/fault=never-ready", "--set", "host=a.example.com"]
    process = subprocess.Popen(
        [cluster.helm, "--kubeconfig", cluster.env["kubeconfig"], *words, *fault],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: "lab.slipway/fault" in deployment(cluster)["spec"]["template"]["metadata"]["labels"])
    finally:
        process.kill()
        process.wait()
    assert history(cluster)[-1] == (2, "pending-upgrade")
    plan = cluster.plan(addons).addons[0]
    assert plan.action is Action.REPAIR
    assert "Helm left revision 2 pending-upgrade" in plan.reason
    cluster.ok(addons, overwrite=["web"])
    assert deployment(cluster)["metadata"]["uid"] == uid
    assert "lab.slipway/fault" not in deployment(cluster)["spec"]["template"]["metadata"]["labels"]
    assert history(cluster)[1:] == [(2, "failed"), (3, "deployed")]
    assert cluster.plan(addons).result == "unchanged"
    # Helm itself is unlocked as well.
    helm(cluster, "upgrade", "web", str(CHARTS / "portal"), *forced(cluster), values={"host": "a.example.com"})


def test_pending_install_of_our_release_is_taken_up(cluster: Cluster) -> None:
    """Somebody reinstalled it with Helm after an uninstall, and was killed: the record still knows whose it is."""
    addons = web(cluster)
    cluster.ok(addons)
    path = o.core("secrets", cluster.ns("web"), "sh.helm.release.v1.web.v1")
    cluster.patch(path, {"metadata": {"labels": {"status": "pending-install"}}}, manager="helm")
    plan = cluster.plan(addons).addons[0]
    assert plan.action is Action.REPAIR
    assert "pending-install" in plan.reason
    uid = deployment(cluster)["metadata"]["uid"]
    cluster.ok(addons)
    assert history(cluster)[-1] == (2, "deployed")
    assert deployment(cluster)["metadata"]["uid"] == uid
    assert cluster.plan(addons).result == "unchanged"
