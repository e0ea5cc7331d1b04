# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""CRDs, their custom resources and the operators between them, on the way in and on the way out."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons import examine
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import ConsentError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, Op
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from tests.contract.fixtures import objects as o
from tests.contract.support import CHARTS, Cluster, by_name, eventually, writes_in

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("home")]


FINALIZER = "operator.example.com/cleanup"


def addon(cluster: Cluster, *items: o.Json, **more: Any) -> dict[str, Any]:
    return {"namespace": cluster.ns("main"), "objects": list(items), "timeout": 30, **more}


def group_of(cluster: Cluster) -> str:
    return f"{cluster.name}.example.com"


def crd_path(cluster: Cluster) -> str:
    return f"{o.CRDS}/things.{group_of(cluster)}"


def thing_path(cluster: Cluster, name: str, namespace: str = "", version: str = "v1") -> str:
    where = namespace or cluster.ns("main")
    return f"/apis/{group_of(cluster)}/{version}/namespaces/{where}/things/{name}"


def writes(cluster: Cluster) -> list[str]:
    return writes_in(cluster.env["audit_log"], f"test {cluster.name}")


class Operator(threading.Thread):
    """Takes the finalizer off Things that are being deleted, but only while its Deployment stands."""

    def __init__(self, cluster: Cluster, deployment: str) -> None:
        super().__init__(daemon=True)
        self._cluster = Cluster(cluster.env, cluster.cache, name="operator")
        self._deployment = deployment
        self._things = f"/apis/{group_of(cluster)}/v1/things"
        self._namespace = cluster.ns("main")
        self._over = threading.Event()
        self.cleaned: list[str] = []

    def run(self) -> None:
        client = self._cluster.client()
        while not self._over.wait(0.1):
            if client.get(self._deployment) is None:
                continue
            # One question: the kind may go between two.
            for item in (client.get(self._things) or {"items": []})["items"]:
                meta = item["metadata"]
                if meta.get("deletionTimestamp") and meta.get("finalizers"):
                    path = f"/apis/{item['apiVersion']}/namespaces/{meta['namespace']}/things/{meta['name']}"
                    self._cluster.patch(path, {"metadata": {"finalizers": None}}, manager="operator")
                    self.cleaned.append(meta["name"])

    def __enter__(self) -> Operator:
        self.start()
        return self

    def __exit__(self, *words: object) -> None:
        self._over.set()
        self.join()


@pytest.mark.usefixtures("main")
@pytest.mark.parametrize("apart", [False, True], ids=["one-addon", "two-addons"])
def test_t25_custom_resources_go_first_with_their_operator_alive(cluster: Cluster, apart: bool) -> None:
    group = group_of(cluster)
    operator = [o.definition(group), o.deployment("operator")]
    mine = o.thing(group, "mine", finalizers=[FINALIZER])
    addons = (
        {"operator": addon(cluster, *operator), "things": addon(cluster, mine)}
        if apart
        else {"operator": addon(cluster, *operator, mine)}
    )
    cluster.ok(addons)
    foreign = o.thing(group, "foreign", finalizers=[FINALIZER])
    cluster.apply(thing_path(cluster, "foreign"), foreign)
    deployment = o.apps("deployments", cluster.ns("main"), "operator")
    events: list[Event] = []
    with Operator(cluster, deployment) as running:
        report = cluster.remove(*addons, crds={"operator": 1}, emit=events.append)
        assert not report.failed, report.results
        assert sorted(running.cleaned) == ["foreign", "mine"]
    assert cluster.get(crd_path(cluster)) is None
    assert cluster.get(deployment) is None
    told = [event.detail for event in events if event.state == "deleting"]
    assert told.index("1 Thing") < told.index("1 Deployment") < told.index("1 CustomResourceDefinition")
    assert "1 custom resources of others, by consent" in told


@pytest.mark.usefixtures("main")
def test_t25_dead_operator_is_named_with_its_finalizer_and_removal_goes_on(cluster: Cluster) -> None:
    group = group_of(cluster)
    mine = o.thing(group, "mine", finalizers=[FINALIZER])
    cluster.ok({"operator": addon(cluster, o.definition(group), o.deployment("operator"), mine, remove={"timeout": 3})})
    started = time.monotonic()
    report = cluster.remove("operator", crds={"operator": 0})
    assert time.monotonic() - started < 10
    assert report.failed
    reason = report.results["operator"].reason
    assert "SLW-5101" in reason
    assert f"Thing {cluster.ns('main')}/mine" in reason
    assert FINALIZER in reason
    # The operator was left in place, so that it can still do its work.
    assert cluster.get(o.apps("deployments", cluster.ns("main"), "operator"))
    assert cluster.get(crd_path(cluster))
    assert f"Thing {cluster.ns('main')}/mine" in o.listed(cluster, "operator")
    with Operator(cluster, o.apps("deployments", cluster.ns("main"), "operator")):
        report = cluster.remove("operator", crds={"operator": 0})
    assert not report.failed, report.results
    assert cluster.get(crd_path(cluster)) is None


@pytest.mark.usefixtures("main")
def test_t27_crd_that_is_gone_takes_its_resources_out_of_the_record(cluster: Cluster) -> None:
    group = group_of(cluster)
    both = addon(cluster, o.definition(group), o.thing(group, "mine"), o.config_map("a"))
    cluster.ok({"one": both})
    cluster.client().delete(crd_path(cluster))
    eventually(lambda: cluster.get(crd_path(cluster)) is None)
    # Wanted again: both are made again.
    plan = cluster.plan({"one": both}).addons[0]
    assert {str(x.id) for x in plan.objects if x.op is Op.CREATE} == {
        f"CustomResourceDefinition things.{group}",
        f"Thing {cluster.ns('main')}/mine",
    }
    # Not wanted any more: nothing fails, and the record forgets them.
    cluster.ok({"one": addon(cluster, o.config_map("a", k="w"))})
    assert not {x for x in o.listed(cluster, "one") if x.startswith(("Thing", "CustomResource"))}
    cluster.ok({"one": both})
    cluster.client().delete(crd_path(cluster))
    eventually(lambda: cluster.get(crd_path(cluster)) is None)
    report = cluster.remove("one", crds={"one": 0})
    assert not report.failed, report.results
    assert cluster.get(o.core("configmaps", cluster.ns("main"), "a")) is None


@pytest.mark.parametrize("change", ["drops-stored-version", "changes-scope"])
def test_t28_crd_that_would_lose_objects_is_refused_before_any_write(
    cluster: Cluster, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = group_of(cluster)
    addons = {"one": addon(cluster, o.definition(group, "v1beta1"), o.config_map("a"))}
    cluster.ok(addons)
    cluster.apply(thing_path(cluster, "data", version="v1beta1"), o.thing(group, "data", "v1beta1"))
    # The way that is right: the new version beside the old one.
    cluster.ok({"one": addon(cluster, o.definition(group, "v1beta1", "v1"), o.config_map("a"))})
    before = writes(cluster)
    wrong = o.definition(group, "v1") if change == "drops-stored-version" else None
    wrong = wrong or o.definition(group, "v1beta1", "v1", scope="Cluster")
    report = cluster.run({"one": addon(cluster, wrong, o.config_map("a", k="w"))})
    plan = report.plan.addons[0]
    assert plan.action is Action.BLOCKED
    assert plan.problems[0].code == "SLW-3303"
    words = ["v1beta1", "stored"] if change == "drops-stored-version" else ["scope", "Namespaced -> Cluster"]
    assert all(word in plan.problems[0].message for word in words)
    assert report.failed
    assert writes(cluster) == before
    assert o.live(cluster, o.core("configmaps", cluster.ns("main"), "a"))["data"] == {"k": "v"}
    assert cluster.get(thing_path(cluster, "data"))

    with monkeypatch.context() as patched:
        # The API server refuses the same, but says neither what is stored nor what to do.
        patched.setattr(examine, "_crd_preflight", lambda *words: None)
        unguarded = cluster.plan({"one": addon(cluster, wrong, o.config_map("a", k="w"))}).addons[0]
        assert "SLW-3303" not in [problem.code for problem in unguarded.problems]

    if change == "drops-stored-version":
        # After the migration that the advice names, it passes: the object is rewritten, then the version struck.
        assert "status.storedVersions" in plan.problems[0].advice
        time.sleep(1.0)
        cluster.patch(thing_path(cluster, "data"), {"spec": {"migrated": True}})
        cluster.client().write(
            "PATCH",
            f"{crd_path(cluster)}/status",
            {"status": {"storedVersions": ["v1"]}},
            {"fieldManager": "migration"},
            "application/merge-patch+json",
        )
        cluster.ok({"one": addon(cluster, wrong, o.config_map("a", k="w"))})
        assert cluster.get(thing_path(cluster, "data"))


@pytest.mark.usefixtures("main")
def test_t29_kept_crd_is_listed_and_taken_up_again(cluster: Cluster) -> None:
    group = group_of(cluster)
    addons = {"one": addon(cluster, o.definition(group, keep=True), o.config_map("a"))}
    cluster.ok(addons)
    cluster.apply(thing_path(cluster, "data"), o.thing(group, "data"))
    known = o.live(cluster, crd_path(cluster))["metadata"]["uid"]
    report = cluster.remove("one")
    assert not report.failed
    assert f"CustomResourceDefinition things.{group}: CRD" in "\n".join(report.kept["one"])

    cluster.ok(addons)
    assert o.live(cluster, crd_path(cluster))["metadata"]["uid"] == known
    assert cluster.get(thing_path(cluster, "data"))
    assert cluster.plan(addons).result == "unchanged"
    # Taken up again means ours again: with consent it goes.
    assert not cluster.remove("one", crds={"one": 1}).failed
    assert cluster.get(crd_path(cluster)) is None


def test_t31_crd_and_resource_in_one_addon_on_an_empty_cluster(cluster: Cluster) -> None:
    group = group_of(cluster)
    one = addon(cluster, o.definition(group), o.thing(group, "mine"))
    two = addon(cluster, o.thing(group, "yours"), namespace=cluster.ns("two"))
    before = writes(cluster)
    text = cluster.text({"one": one, "two": two})
    plans = by_name(cluster.plan({"one": one, "two": two}))
    assert writes(cluster) == before
    assert [p.action for p in plans.values()] == [Action.INSTALL] * 2
    unverified = {str(x.id): x.unverified for p in plans.values() for x in p.objects if x.unverified}
    assert set(unverified) == {f"Thing {cluster.ns('main')}/mine", f"Thing {cluster.ns('two')}/yours"}
    assert all(f"things.{group} arrives in this run" in why for why in unverified.values())
    assert "unverified" in text
    # Nobody said that one goes before the other: the CRD does.
    assert plans["two"].depends == ("one",)
    cluster.ok({"one": one, "two": two})
    assert cluster.plan({"one": one, "two": two}).result == "unchanged"
    # With the CRD there, nothing is unverified any more.
    three = addon(cluster, o.thing(group, "third"), namespace=cluster.ns("two"))
    plan = by_name(cluster.plan({"one": one, "two": two, "three": three}))["three"]
    assert not [x for x in plan.objects if x.unverified]


@pytest.mark.parametrize("cluster", [3, 4], indirect=True)
def test_t31_chart_with_crd_and_resource(cluster: Cluster) -> None:
    chart = {"chart": {"path": str(CHARTS / "certs")}, "namespace": cluster.ns("certs"), "timeout": 30}
    chart["values"] = {"bootstrapIssuer": {"name": cluster.name}}
    o.make_namespaces(cluster, cluster.ns("certs"))
    crds = ("certificates.certs.lab.slipway", "clusterissuers.certs.lab.slipway")
    if any(cluster.get(f"{o.CRDS}/{name}") for name in crds):
        pytest.fail("another test left the CRDs of the chart behind")
    try:
        assert cluster.plan({"certs": chart}).result == "changes"
        cluster.ok({"certs": chart})
        assert cluster.plan({"certs": chart}).result == "unchanged"
        assert not cluster.remove("certs", crds={"certs": 0}).failed
        assert not [name for name in crds if cluster.get(f"{o.CRDS}/{name}")]
    finally:
        for name in crds:
            o.gone(cluster, f"{o.CRDS}/{name}")


@pytest.mark.usefixtures("main")
def test_crd_consent_counts_exactly(cluster: Cluster) -> None:
    group = group_of(cluster)
    cluster.ok({"one": addon(cluster, o.definition(group), o.thing(group, "ours"))})
    for name in ("a", "b"):
        cluster.apply(thing_path(cluster, name), o.thing(group, name), manager="somebody")
    before = writes(cluster)
    text = cluster.text({}, "remove", remove=["one"])
    assert "would destroy 2 foreign custom resources" in text
    for count in (0, 1, 3):
        with pytest.raises(ConsentError) as told:
            cluster.run({}, "remove", remove=["one"], crds={"one": count})
        assert told.value.code == "SLW-5004"
        assert "destroys 2 foreign" in told.value.message
        assert '{"one": 2}' in told.value.advice
    assert writes(cluster) == before
    text = cluster.text({}, "remove", remove=["one"], crds={"one": 2})
    assert f"destroys Thing {cluster.ns('main')}/a (made by somebody)" in text

    # One that appears between plan and act was never consented to: it and its CRD stay.
    engine = cluster.engine({}, "remove", remove=["one"], crds={"one": 2})
    plan = engine.plan()
    cluster.apply(thing_path(cluster, "late"), o.thing(group, "late"), manager="somebody")
    report = engine.execute(plan)
    assert report.failed
    assert "late appeared after the plan" in report.results["one"].reason
    assert cluster.get(thing_path(cluster, "late"))
    assert cluster.get(crd_path(cluster))
    left = len(cluster.client().list(f"/apis/{group}/v1/things"))
    assert not cluster.remove("one", crds={"one": left}).failed
    assert cluster.get(crd_path(cluster)) is None
