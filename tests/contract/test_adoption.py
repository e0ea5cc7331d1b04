# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Releases and objects of others: not touched, unless ``adopt: true`` says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from tests.contract.fixtures import objects as o
from tests.contract.support import CHARTS, Cluster, writes_in

pytestmark = [pytest.mark.lab, pytest.mark.parametrize("cluster", [3, 4], indirect=True)]


@pytest.fixture(autouse=True)
def home(cluster: Cluster) -> None:
    o.make_namespaces(cluster, cluster.home, cluster.ns("web"))


def addon(cluster: Cluster, **more: Any) -> dict[str, Any]:
    chart = {"chart": {"path": str(CHARTS / "notifier")}, "namespace": cluster.ns("web"), "timeout": 30}
    return {"web": {**chart, **more}}


def installed(cluster: Cluster, *words: str) -> dict[str, tuple[str, str]]:
    o.helm(cluster, "install", "web", str(CHARTS / "notifier"), "-n", cluster.ns("web"), *words)
    return identities(cluster)


def identities(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """Of each object of the release its uid, and the version of what others than controllers write."""
    ns = cluster.ns("web")
    paths = [
        o.apps("deployments", ns, "web-notifier"),
        o.core("services", ns, "web-notifier"),
        o.core("secrets", ns, "web-notifier"),
    ]
    live = {path: cluster.get(path) for path in paths}
    return {
        path: (item["metadata"]["uid"], json.dumps([item.get("spec"), item.get("data"), item["metadata"]["labels"]]))
        for path, item in live.items()
        if item
    }


def test_foreign_release_is_not_touched(cluster: Cluster) -> None:
    before = installed(cluster)
    report = cluster.run({**addon(cluster), "other": {"namespace": cluster.ns("web"), "objects": [o.config_map("a")]}})
    plan = report.plan.addons[0]
    assert plan.action is Action.BLOCKED
    assert plan.problems[0].code == "SLW-3201"
    assert "installed by Helm, revision 1" in plan.problems[0].message
    assert "adopt: true" in plan.problems[0].advice
    assert report.failed
    assert identities(cluster) == before
    written = [w for w in writes_in(cluster.env["audit_log"], f"test {cluster.name}") if "web-notifier" in w]
    assert not written
    # The add-on beside it went in.
    assert cluster.get(o.core("configmaps", cluster.ns("web"), "a"))
    assert o.helm(cluster, "list", "-n", cluster.ns("web"), "--short").split() == ["web"]


def test_foreign_objects_without_a_release_are_not_touched(cluster: Cluster) -> None:
    before = installed(cluster)
    for secret in ("sh.helm.release.v1.web.v1",):
        o.gone(cluster, o.core("secrets", cluster.ns("web"), secret))
    report = cluster.run(addon(cluster))
    assert report.plan.addons[0].action is Action.BLOCKED
    assert "belongs to Helm release" in report.plan.addons[0].problems[0].message
    assert identities(cluster) == before


def test_adopted_release_is_ours_as_it_stands(cluster: Cluster) -> None:
    ns = cluster.ns("web")
    before = installed(cluster)
    addons = addon(cluster, adopt=True)
    assert cluster.plan(addons).addons[0].action is Action.ADOPT
    cluster.ok(addons)
    after = identities(cluster)
    assert {path: uid for path, (uid, _) in after.items()} == {path: uid for path, (uid, _) in before.items()}
    # A generated password is data: it stays what it was.
    secret = o.core("secrets", ns, "web-notifier")
    assert json.loads(after[secret][1])[1] == json.loads(before[secret][1])[1]
    listed = json.loads(o.helm(cluster, "history", "web", "-n", ns, "-o", "json"))
    assert [(x["revision"], x["status"]) for x in listed] == [(1, "superseded"), (2, "deployed")]
    assert cluster.plan(addons).result == "unchanged"

    # Without the word it stays ours; changes go through; what is dropped from the chart's values goes.
    cluster.ok(addon(cluster, values={"replicas": 2, "podAnnotations": {"a": "b"}}))
    live = o.live(cluster, o.apps("deployments", ns, "web-notifier"))
    assert live["spec"]["replicas"] == 2
    cluster.ok(addon(cluster))
    live = o.live(cluster, o.apps("deployments", ns, "web-notifier"))
    assert live["spec"]["replicas"] == 1
    assert "annotations" not in live["spec"]["template"]["metadata"]

    # An adopted release is removed like any other.
    report = cluster.remove("web")
    assert not report.failed, report.results
    assert not identities(cluster)
    assert not o.helm(cluster, "list", "-n", ns, "--short").split()


def test_adoption_takes_a_value_that_helm_had_set(cluster: Cluster) -> None:
    """Fields that the release had and the manifest does not want are gone, though Helm's manager wrote them."""
    installed(cluster, "--set", "podAnnotations.old=yes", "--set", "replicas=3")
    cluster.ok(addon(cluster, adopt=True))
    live = o.live(cluster, o.apps("deployments", cluster.ns("web"), "web-notifier"))
    assert live["spec"]["replicas"] == 1
    assert "old" not in (live["spec"]["template"]["metadata"].get("annotations") or {})


def test_single_adopted_object_stays_at_removal(cluster: Cluster) -> None:
    """Not part of the release, only in its way: adopted, written, and left behind."""
    ns = cluster.ns("web")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web-notifier"},
        "spec": {"ports": [{"name": "http", "port": 80}], "selector": {"app": "x"}},
    }
    made = cluster.apply(o.core("services", ns, "web-notifier"), service)
    report = cluster.run(addon(cluster))
    assert report.plan.addons[0].action is Action.BLOCKED
    cluster.ok(addon(cluster, adopt=True))
    report = cluster.remove("web")
    assert not report.failed, report.results
    live = o.live(cluster, o.core("services", ns, "web-notifier"))
    assert live["metadata"]["uid"] == made["metadata"]["uid"]
    assert f"Service {ns}/web-notifier: was there before" in "\n".join(report.kept["web"])
    assert cluster.get(o.apps("deployments", ns, "web-notifier")) is None
