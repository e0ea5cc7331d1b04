# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nothing of anybody's is lost: the cases in which other tools have deleted, recreated or orphaned what was in use.

Every case has its counter-check, so that none can pass because nothing happened at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons import (
    examine,
    planner,
    pruning,
    removal,
    remove,
    rendering,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError, FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, Op
from ansible_collections.slipway.cluster.plugins.module_utils.addons.record import record_path
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from tests.contract.fixtures import objects as o
from tests.contract.support import CHARTS, Cluster, by_name, eventually, writes_in

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("home")]


def objects(cluster: Cluster, *items: o.Json, **more: Any) -> dict[str, Any]:
    return {"namespace": cluster.ns("main"), "objects": list(items), "timeout": 30, **more}


def uid(cluster: Cluster, path: str) -> str:
    live = cluster.get(path)
    assert live is not None, path
    return str(live["metadata"]["uid"])


def writes(cluster: Cluster) -> list[str]:
    return writes_in(cluster.env["audit_log"], f"test {cluster.name}")


def test_t13_namespace_dropped_while_its_objects_stay(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, ns = cluster.ns("shared"), cluster.ns("main")
    teams = objects(cluster, o.namespace(shared), o.config_map("gone-soon"), o.config_map("stays"))
    member = {"namespace": shared, "objects": [o.config_map("inside")], "after": ["teams"], "timeout": 30}
    cluster.ok({"teams": teams, "member": member})
    before = uid(cluster, f"/api/v1/namespaces/{shared}")

    teams["objects"] = [o.config_map("stays")]
    plan = by_name(cluster.plan({"teams": teams, "member": member}))["teams"]
    ops = {str(item.id): item.op for item in plan.objects}
    assert ops[f"Namespace {shared}"] is Op.KEEP
    assert ops[f"ConfigMap {ns}/gone-soon"] is Op.DELETE
    assert f"Namespace {shared}" in cluster.text({"teams": teams, "member": member})
    cluster.ok({"teams": teams, "member": member})
    assert uid(cluster, f"/api/v1/namespaces/{shared}") == before
    assert cluster.get(o.core("configmaps", shared, "inside"))
    assert cluster.get(o.core("configmaps", ns, "gone-soon")) is None

    # A namespace alone, with nothing else to change, is told as well.
    assert f"Namespace {shared}" in o.listed(cluster, "teams")
    with monkeypatch.context() as patched:
        patched.setattr(planner, "_NEVER_PRUNED", ())
        teams["objects"] = [o.config_map("stays", k="w")]
        plan = by_name(cluster.plan({"teams": teams, "member": member}))["teams"]
        assert {str(item.id): item.op for item in plan.objects}[f"Namespace {shared}"] is Op.DELETE


SWITCH = "{{ if .Values.on }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-chart}\n{{ end }}\n"
FAILS = '{{ if not .Values.on }}{{ fail "no such thing" }}{{ end }}\n'


@pytest.mark.parametrize(
    "broken", ["bad-yaml", "empty-folder", "no-folder", "chart-fails", "chart-is-empty", "kustomize-is-empty"]
)
def test_t14_failed_or_empty_render_prunes_nothing_anywhere(
    cluster: Cluster, tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ns = cluster.ns("main")
    folder = tmp_path / "source"
    folder.mkdir()
    sound: dict[str, Any] = {"namespace": ns, "timeout": 30}
    if broken.startswith("chart"):
        template = SWITCH if broken == "chart-is-empty" else f"{SWITCH}---\n{FAILS}"
        path = o.chart(tmp_path, "switch", {"a.yaml": template})
        sound |= {"chart": {"path": path}, "values": {"on": True}}
    else:
        (folder / "a.yaml").write_text(json.dumps(o.config_map("from-file")), encoding="utf-8")
        if broken.startswith("kustomize"):
            (folder / "kustomization.yaml").write_text("resources: [a.yaml]\n", encoding="utf-8")
            sound["kustomize"] = str(folder)
        else:
            sound["manifests"] = str(folder)
    other = objects(cluster, o.config_map("one"), o.config_map("two"))
    cluster.ok({"source": sound, "other": other, "dropped": objects(cluster, o.config_map("dropped"))})
    record = o.listed(cluster, "source")

    hurt = dict(sound)
    if broken.startswith("chart"):
        hurt["values"] = {"on": False}
    elif broken == "bad-yaml":
        (folder / "a.yaml").write_text("kind: [ConfigMap\n", encoding="utf-8")
    elif broken == "kustomize-is-empty":
        (folder / "kustomization.yaml").write_text("resources: []\n", encoding="utf-8")
    elif broken == "empty-folder":
        (folder / "a.yaml").unlink()
    else:
        (folder / "a.yaml").unlink()
        folder.rmdir()
    before = writes(cluster)
    less = objects(cluster, o.config_map("one"))
    with pytest.raises(FindingsError) as told:
        cluster.run({"source": hurt, "other": less}, prune_all=True)
    assert "source" in str(told.value)
    assert writes(cluster) == before
    assert o.listed(cluster, "source") == record
    if broken == "chart-is-empty":
        with monkeypatch.context() as patched:
            patched.setattr(rendering.Renderer, "_emptied", lambda *words: False)
            plan = by_name(cluster.plan({"source": hurt, "other": less}))["source"]
            assert [str(x.id) for x in plan.objects if x.op is Op.DELETE] == [f"ConfigMap {ns}/from-chart"]
    assert cluster.get(o.core("configmaps", ns, "two"))
    assert cluster.get(o.core("configmaps", ns, "dropped"))

    if broken != "no-folder":
        # The same run with the source whole again does prune: it was the failure that held it back.
        (folder / "a.yaml").write_text(json.dumps(o.config_map("from-file")), encoding="utf-8")
        (folder / "kustomization.yaml").unlink(missing_ok=True)
        if broken.startswith("kustomize"):
            (folder / "kustomization.yaml").write_text("resources: [a.yaml]\n", encoding="utf-8")
        cluster.ok({"source": sound, "other": less}, prune_all=True)
        assert cluster.get(o.core("configmaps", ns, "two")) is None
        assert cluster.get(o.core("configmaps", ns, "dropped")) is None
        assert writes(cluster) != before


@pytest.mark.usefixtures("main")
def test_t14_empty_manifest_with_prune_refuses(cluster: Cluster) -> None:
    cluster.ok({"one": objects(cluster, o.config_map("one"))})
    before = writes(cluster)
    with pytest.raises(EngineError) as told:
        cluster.run({}, prune_all=True)
    assert told.value.code == "SLW-5005"
    assert writes(cluster) == before
    assert not cluster.run({}, prune=["one"]).failed
    assert cluster.get(o.core("configmaps", cluster.ns("main"), "one")) is None


@pytest.mark.usefixtures("main")
def test_t15_two_addons_list_the_same_namespace_and_crd(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    group, shared = f"{cluster.name}.example.com", cluster.ns("shared")
    crd = f"{o.CRDS}/things.{group}"
    first = objects(cluster, o.namespace(shared), o.definition(group), o.config_map("first"))
    second = objects(cluster, o.namespace(shared), o.definition(group), o.config_map("second"))
    cluster.ok({"first": first, "second": second})
    before = uid(cluster, crd), uid(cluster, f"/api/v1/namespaces/{shared}")

    with monkeypatch.context() as patched:
        patched.setattr(removal.RemovalPlanner, "_elsewhere", lambda *words: {})
        plan = cluster.plan({}, "remove", remove=["first"], crds={"first": 0}).addons[0]
        assert {str(x.id): x.op for x in plan.objects}[f"CustomResourceDefinition things.{group}"] is Op.DELETE
    report = cluster.remove("first", crds={"first": 0})
    assert not report.failed, report.results
    kept = "\n".join(report.kept["first"])
    assert f"CustomResourceDefinition things.{group}: still provided by second" in kept
    assert f"Namespace {shared}: still used by second" in kept
    assert (uid(cluster, crd), uid(cluster, f"/api/v1/namespaces/{shared}")) == before
    assert cluster.get(o.core("configmaps", cluster.ns("main"), "first")) is None

    # The last of the two takes the CRD along, whoever had written it.
    report = cluster.remove("second", crds={"second": 0})
    assert not report.failed, report.results
    assert cluster.get(crd) is None


def test_t16_foreign_objects_with_our_labels_are_never_deleted(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ns = cluster.ns("main")
    addon = objects(cluster, o.claim("ours"), o.stateful_set("db"), o.config_map("taken"), o.config_map("plain"))
    cluster.ok({"one": addon})
    marks = {"slipway.cluster/name": cluster.name, "slipway.cluster/addon": "one", "app": "db"}
    cluster.apply(o.core("persistentvolumeclaims", ns, "foreign"), o.claim("foreign", **marks))
    cluster.apply(o.core("persistentvolumeclaims", ns, "data-db-7"), o.claim("data-db-7", **marks))
    parent = cluster.apply(o.core("configmaps", ns, "parent"), o.config_map("parent"))
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "parent", "uid": parent["metadata"]["uid"]}
    child = o.config_map("child")
    child["metadata"] |= {"labels": marks, "ownerReferences": [{**owner, "controller": True}]}
    cluster.apply(o.core("configmaps", ns, "child"), child)
    # An operator has made one of ours its own.
    cluster.patch(o.core("configmaps", ns, "taken"), {"metadata": {"ownerReferences": [{**owner, "controller": True}]}})

    with monkeypatch.context() as patched:
        patched.setattr(removal, "may_delete", lambda *words: "")
        plan = by_name(cluster.plan({}, "remove", remove=["one"], pvcs=["one"]))["one"]
        assert {str(item.id): item.op for item in plan.objects}[f"ConfigMap {ns}/taken"] is Op.DELETE

    report = cluster.remove("one", pvcs=["one"])
    assert not report.failed, report.results
    for name in ("foreign", "data-db-7"):
        assert o.live(cluster, o.core("persistentvolumeclaims", ns, name))["metadata"].get("deletionTimestamp") is None
    assert cluster.get(o.core("configmaps", ns, "child"))
    assert cluster.get(o.core("configmaps", ns, "taken"))
    kept = "\n".join(report.kept["one"])
    assert f"ConfigMap {ns}/taken: it belongs to a controller" in kept
    assert f"Namespace {ns}" in kept
    # What was ours is gone: the claim, the one that the StatefulSet's controller made, the plain object.
    for path in (
        o.core("persistentvolumeclaims", ns, "ours"),
        o.core("persistentvolumeclaims", ns, "data-db-0"),
        o.core("configmaps", ns, "plain"),
    ):
        eventually(lambda path=path: cluster.get(path) is None)


def test_t16_foreign_objects_with_our_labels_are_never_pruned(cluster: Cluster) -> None:
    ns = cluster.ns("main")
    cluster.ok({"one": objects(cluster, o.config_map("a"), o.config_map("b"))})
    foreign = o.config_map("foreign")
    foreign["metadata"]["labels"] = {"slipway.cluster/name": cluster.name, "slipway.cluster/addon": "one"}
    cluster.apply(o.core("configmaps", ns, "foreign"), foreign)
    # Ours was deleted, and somebody made another of the same name and marks.
    gone_soon = {**foreign, "metadata": {**foreign["metadata"], "name": "b"}}
    o.gone(cluster, o.core("configmaps", ns, "b"))
    cluster.apply(o.core("configmaps", ns, "b"), gone_soon)
    cluster.ok({"one": objects(cluster, o.config_map("a"))})
    assert cluster.get(o.core("configmaps", ns, "foreign"))
    assert cluster.get(o.core("configmaps", ns, "b"))
    # Counter-check: one that is still the very object goes.
    cluster.ok({"one": objects(cluster, o.config_map("c"))})
    assert cluster.get(o.core("configmaps", ns, "a")) is None


@pytest.mark.usefixtures("main")
def test_t17_adopted_object_stays_after_removal(cluster: Cluster) -> None:
    ns = cluster.ns("main")
    cluster.apply(f"/api/v1/namespaces/{ns}", o.namespace(ns))
    made = cluster.apply(o.core("configmaps", ns, "theirs"), o.config_map("theirs", theirs="1"))
    addon = objects(cluster, o.config_map("theirs", ours="2"), o.config_map("new"))
    report = cluster.run({"one": addon})
    assert report.plan.addons[0].action is Action.BLOCKED
    assert report.failed
    assert "adopt: true" in cluster.text({"one": addon})
    assert "ours" not in o.live(cluster, o.core("configmaps", ns, "theirs"))["data"]

    addon["adopt"] = True
    assert "pre-existing" in cluster.text({"one": addon})
    cluster.ok({"one": addon})
    assert o.live(cluster, o.core("configmaps", ns, "theirs"))["data"] == {"theirs": "1", "ours": "2"}
    # An upgrade that drops it leaves it as well.
    cluster.ok({"one": objects(cluster, o.config_map("new"), adopt=True)})
    assert cluster.get(o.core("configmaps", ns, "theirs"))

    cluster.ok({"one": addon})
    report = cluster.remove("one")
    assert not report.failed
    assert uid(cluster, o.core("configmaps", ns, "theirs")) == made["metadata"]["uid"]
    assert cluster.get(o.core("configmaps", ns, "new")) is None
    assert cluster.get(f"/api/v1/namespaces/{ns}")
    assert f"ConfigMap {ns}/theirs: was there before" in "\n".join(report.kept["one"])


@pytest.mark.usefixtures("main")
@pytest.mark.parametrize("how", ["remove", "prune"])
def test_t18_refused_delete_stays_in_the_record(cluster: Cluster, how: str) -> None:
    ns, path = cluster.ns("main"), f"/{cluster.name}"
    hold = o.config_map("hold")
    cluster.ok({"one": objects(cluster, o.config_map("a"), hold)})
    body = o.webhook(cluster.name, path, cluster.env, ["configmaps"], ["DELETE"], namespaces=[ns])

    def again() -> Any:
        if how == "remove":
            return cluster.remove("one")
        return cluster.run({"one": objects(cluster, o.config_map("a"))})

    with o.there(cluster, f"{o.WEBHOOKS}/{cluster.name}", body):
        o.order(cluster.env, path, "deny", message="not today")
        eventually(lambda: _denied(cluster, ns))
        report = again()
        assert report.failed
        assert "SLW-4105" in report.results["one"].reason
        assert "not today" in report.results["one"].reason
        assert "ConfigMap" in report.results["one"].reason
        assert cluster.get(o.core("configmaps", ns, "hold"))
        assert f"ConfigMap {ns}/hold" in o.listed(cluster, "one")
        # It is retried, and refused again: it does not drop out of the record by being tried.
        assert again().failed
        assert f"ConfigMap {ns}/hold" in o.listed(cluster, "one")
        o.order(cluster.env, path, "allow")
        assert not again().failed
    assert cluster.get(o.core("configmaps", ns, "hold")) is None


def _denied(cluster: Cluster, ns: str) -> bool:
    """A webhook takes a moment until the API server asks it."""
    try:
        cluster.client().write("DELETE", o.core("configmaps", ns, "hold"), None, {"dryRun": "All"})
    except ApiError as exc:
        return "not today" in exc.api_message
    return False


def test_t19_impossible_changes_are_refused_and_never_recreated(cluster: Cluster) -> None:
    ns = cluster.ns("main")
    claim, state = o.core("persistentvolumeclaims", ns, "data"), o.apps("statefulsets", ns, "db")
    addon = {
        "claims": objects(cluster, o.claim("data")),
        "state": objects(cluster, o.stateful_set("db")),
        "other": objects(cluster, o.config_map("other")),
    }
    cluster.ok(addon)
    before = uid(cluster, claim), uid(cluster, state)
    wrong = {
        "claims": objects(cluster, o.claim("data", "1Gi")),
        "state": objects(cluster, o.stateful_set("db", serviceName="another")),
        "other": objects(cluster, o.config_map("other", k="new")),
    }
    report = cluster.run(wrong)
    plans = by_name(report.plan)
    assert plans["claims"].action is Action.BLOCKED
    assert plans["claims"].problems[0].code == "SLW-3302"
    assert "spec.resources.requests.storage" in plans["claims"].problems[0].message
    assert plans["state"].action is Action.BLOCKED
    assert "spec" in plans["state"].problems[0].message
    assert "never recreate" in plans["state"].problems[0].advice
    assert report.failed
    assert (uid(cluster, claim), uid(cluster, state)) == before
    assert o.live(cluster, claim)["spec"]["resources"]["requests"]["storage"] == "2Gi"
    # The branch that has nothing to do with it went on.
    assert o.live(cluster, o.core("configmaps", ns, "other"))["data"] == {"k": "new"}
    # A change that the API allows passes.
    cluster.ok({**addon, "state": objects(cluster, o.stateful_set("db", replicas=2))})
    assert (uid(cluster, claim), uid(cluster, state)) == before


def test_t19_job_is_recreated_only_where_that_helps(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    ns = cluster.ns("main")
    path = f"/apis/batch/v1/namespaces/{ns}/jobs/prepare"
    cluster.ok({"one": objects(cluster, o.job("prepare"))})
    before = uid(cluster, path)
    # No Job of this kind could be made: the old one stays.
    worse = {"one": objects(cluster, o.job("prepare", policy="Always"))}
    with monkeypatch.context() as patched:
        patched.setattr(examine, "_recreation_helps", lambda *words: True)
        assert Op.RECREATE in [item.op for item in cluster.plan(worse).addons[0].objects]
    report = cluster.run(worse)
    assert report.failed
    assert report.plan.addons[0].action is Action.BLOCKED
    assert "restartPolicy" in report.plan.addons[0].problems[0].message
    assert uid(cluster, path) == before

    better = {"one": objects(cluster, o.job("prepare", image="registry.example/slipway/thing:2"))}
    assert [x.op for x in cluster.plan(better).addons[0].objects if x.id.kind == "Job"] == [Op.RECREATE]
    cluster.ok(better)
    assert uid(cluster, path) != before


@pytest.mark.usefixtures("main")
def test_t20_record_of_an_unknown_schema_is_left_alone(cluster: Cluster) -> None:
    addon = {"one": objects(cluster, o.config_map("a"))}
    cluster.ok(addon)
    _edit_record(cluster, "one", schema=99)
    before = writes(cluster)
    for operation in ("install", "remove"):
        with pytest.raises(EngineError) as told:
            cluster.run(addon if operation == "install" else {}, operation, remove=["one"])
        assert told.value.code == "SLW-3002"
        assert "99" in told.value.message
    assert writes(cluster) == before
    _edit_record(cluster, "one", schema=1)
    cluster.ok({"one": objects(cluster, o.config_map("a", k="w"))})
    assert len(writes(cluster)) > len(before)


def _edit_record(on: Cluster, addon: str, **changed: Any) -> None:
    """Somebody restores, copies or writes a record by another version: by another user agent than the run's."""
    path = record_path(on.name, addon, on.home)
    live = on.get(path)
    assert live is not None
    body = {**json.loads(live["data"]["record.json"]), **changed}
    restorer = Cluster(on.env, on.cache, name="restore")
    restorer.client().write(
        "PATCH", path, {"data": {"record.json": json.dumps(body)}}, None, "application/merge-patch+json"
    )


@pytest.mark.parametrize("key", ["release", "namespace"])
def test_t20_templated_release_is_never_moved_by_uninstalling(
    cluster: Cluster, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ns = cluster.ns("prod")
    chart = {"path": str(CHARTS / "database")}
    addon: dict[str, Any] = {"chart": chart, "namespace": ns, "release": "prod-db", "timeout": 30}
    addon["values"] = {"persistence": {"storageClass": o.CLASS}}
    addon[key] = "{{ slipway_values.env }}-db" if key == "release" else f"{cluster.name}-{{{{ slipway_values.env }}}}"
    cluster.ok({"db": addon}, values={"env": "prod"})
    state = o.apps("statefulsets", ns, "prod-db-database")
    before = uid(cluster, state)
    # The same again, in a new run: nothing to do.
    assert cluster.plan({"db": addon}, values={"env": "prod"}).result == "unchanged"

    report = cluster.run({"db": addon}, values={"env": "stage"})
    plan = report.plan.addons[0]
    assert plan.action is Action.BLOCKED, plan.reason
    assert plan.problems[0].code == "SLW-3202"
    assert "prod" in plan.problems[0].message
    assert "stage" in plan.problems[0].message
    assert uid(cluster, state) == before
    assert cluster.get(f"/api/v1/namespaces/{cluster.ns('stage')}") is None
    monkeypatch.setattr(planner, "moved_elsewhere", lambda *words: None)
    plan = cluster.plan({"db": addon}, values={"env": "stage"}).addons[0]
    assert f"StatefulSet {ns}/prod-db-database" in [str(x.id) for x in plan.objects if x.op is Op.DELETE]


@pytest.mark.usefixtures("main")
def test_t21_record_of_another_cluster_or_name_stops(cluster: Cluster) -> None:
    addon = {"one": objects(cluster, o.config_map("a"))}
    cluster.ok(addon)
    uid_now = json.loads(o.live(cluster, record_path(cluster.name, "one", cluster.home))["data"]["record.json"])[
        "cluster"
    ]
    before = writes(cluster)
    for changed in ({"cluster": "00000000-0000-4000-8000-000000000000"}, {"cluster": uid_now, "name": "another"}):
        _edit_record(cluster, "one", **changed)
        for operation in ("install", "remove"):
            with pytest.raises(EngineError) as told:
                cluster.run(addon if operation == "install" else {}, operation, remove=["one"])
            assert told.value.code == "SLW-3003"
    assert writes(cluster) == before
    assert cluster.get(o.core("configmaps", cluster.ns("main"), "a"))
    _edit_record(cluster, "one", name=cluster.name)
    assert not cluster.remove("one").failed
    assert cluster.get(o.core("configmaps", cluster.ns("main"), "a")) is None


def test_t21_another_name_on_the_same_cluster_owns_nothing_of_ours(cluster: Cluster) -> None:
    cluster.ok({"one": objects(cluster, o.config_map("a"))})
    other = Cluster(cluster.env, cluster.cache, name=f"{cluster.name}-b")
    addon = {"one": {**objects(other, o.config_map("a")), "namespace": cluster.ns("main")}}
    report = other.run(addon)
    assert report.plan.addons[0].action is Action.BLOCKED
    assert cluster.name in report.plan.addons[0].problems[0].message
    with pytest.raises(EngineError):
        other.remove("one")
    assert cluster.plan({"one": objects(cluster, o.config_map("a"))}).result == "unchanged"


def test_t22_few_rights_go_by_the_record(cluster: Cluster) -> None:
    """No LIST anywhere but in the records' namespace: what the record names is found by GET, deleted, and no more."""
    ns = cluster.ns("main")
    chart = {
        "chart": {"path": str(CHARTS / "notifier")},
        "namespace": ns,
        "timeout": 30,
    }
    addons = {"one": objects(cluster, o.config_map("a"), o.config_map("b"), o.deployment("web")), "two": chart}
    cluster.ok(addons)
    cluster.apply(o.core("configmaps", ns, "foreign"), o.config_map("foreign"))
    here = {
        "apiGroups": ["", "apps", "batch", "events.k8s.io"],
        "resources": ["configmaps", "deployments", "services", "secrets", "serviceaccounts", "replicasets", "pods"],
        "verbs": ["get", "create", "patch", "update", "delete"],
    }
    everywhere = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]
    few = o.limited(cluster, [here], everywhere, [ns])

    plan = cluster.plan(addons, client=few)
    assert plan.result == "unchanged", cluster.text(addons, client=few)
    assert any("may not list" in limit for limit in plan.limits)

    addons["one"] = objects(cluster, o.config_map("a", k="w"), o.deployment("web"))
    cluster.ok(addons, client=few)
    assert o.live(cluster, o.core("configmaps", ns, "a"))["data"] == {"k": "w"}
    assert cluster.get(o.core("configmaps", ns, "b")) is None
    assert cluster.get(o.core("configmaps", ns, "foreign"))

    report = cluster.remove("one", "two", client=few)
    assert not report.failed, report.results
    assert cluster.get(o.core("configmaps", ns, "a")) is None
    assert cluster.get(o.apps("deployments", ns, "two-notifier")) is None
    assert cluster.get(o.core("secrets", ns, "sh.helm.release.v1.two.v1")) is None
    # Nobody can say that the namespace is empty, so it stays.
    assert cluster.get(o.core("configmaps", ns, "foreign"))
    assert f"Namespace {ns}" in "\n".join(line for lines in report.kept.values() for line in lines)


def test_t23_failed_upgrade_is_never_uninstalled(cluster: Cluster) -> None:
    ns = cluster.ns("main")
    chart = {"chart": {"path": str(CHARTS / "notifier")}, "namespace": ns, "timeout": 30}
    cluster.ok({"web": chart})
    deployment = o.apps("deployments", ns, "web-notifier")
    before = uid(cluster, deployment), uid(cluster, o.core("secrets", ns, "web-notifier"))
    bad = {**chart, "values": {"podLabels": {"lab.slipway/fault": "never-ready"}}, "timeout": 2}
    for _ in range(2):
        report = cluster.run({"web": bad})
        assert report.failed
        assert "not ready" in report.results["web"].reason
        assert (uid(cluster, deployment), uid(cluster, o.core("secrets", ns, "web-notifier"))) == before
        release = o.live(cluster, o.core("secrets", ns, "sh.helm.release.v1.web.v1"))
        assert release["metadata"]["labels"]["status"] == "deployed"
    deletes = [w for w in writes(cluster) if w.startswith("delete")]
    assert not deletes
    cluster.ok({"web": chart})
    assert (uid(cluster, deployment), uid(cluster, o.core("secrets", ns, "web-notifier"))) == before
    assert cluster.plan({"web": chart}).result == "unchanged"


def test_t24_selector_change_is_refused_with_its_field(cluster: Cluster) -> None:
    ns = cluster.ns("main")
    path = o.apps("deployments", ns, "web")
    addon = objects(cluster, o.deployment("web"), o.config_map("a"))
    cluster.ok({"one": addon})
    before, record = uid(cluster, path), o.listed(cluster, "one")
    report = cluster.run({"one": objects(cluster, o.deployment("web", selector={"tier": "new"}))})
    plan = report.plan.addons[0]
    assert plan.action is Action.BLOCKED
    assert "spec.selector" in plan.problems[0].message
    assert report.failed
    assert uid(cluster, path) == before
    # Nothing of this add-on was touched, what it dropped included.
    assert cluster.get(o.core("configmaps", ns, "a"))
    assert o.listed(cluster, "one") == record
    # A label that is no selector may change.
    changed = o.deployment("web")
    changed["metadata"]["labels"] = {"team": "b"}
    cluster.ok({"one": objects(cluster, changed, o.config_map("a"))})
    assert uid(cluster, path) == before
    assert o.live(cluster, path)["metadata"]["labels"]["team"] == "b"


@pytest.mark.usefixtures("main")
def test_guards_of_deletion_hold_at_the_moment_of_deletion(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between plan and act somebody takes an object over: the plan's word does not count any more."""
    ns = cluster.ns("main")
    cluster.ok({"one": objects(cluster, o.config_map("a"), o.config_map("b"))})
    engine = cluster.engine({}, "remove", remove=["one"])
    plan = engine.plan()
    cluster.patch(o.core("configmaps", ns, "a"), {"metadata": {"labels": {"slipway.cluster/addon": "else"}}})
    report = engine.execute(plan)
    assert not report.failed
    assert cluster.get(o.core("configmaps", ns, "a"))
    assert cluster.get(o.core("configmaps", ns, "b")) is None
    assert f"ConfigMap {ns}/a: our mark was taken off" in "\n".join(report.kept["one"])

    # Without the guard it would have gone.
    cluster.ok({"one": objects(cluster, o.config_map("c"))})
    engine = cluster.engine({}, "remove", remove=["one"])
    plan = engine.plan()
    cluster.patch(o.core("configmaps", ns, "c"), {"metadata": {"labels": {"slipway.cluster/addon": "else"}}})
    monkeypatch.setattr(remove, "may_delete", lambda *words: "")
    engine.execute(plan)
    assert cluster.get(o.core("configmaps", ns, "c")) is None


@pytest.mark.usefixtures("main")
def test_a_controller_s_policy_does_not_take_volumes_along(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A StatefulSet may say that its claims go with it; that is no consent, neither in a removal nor in a prune."""
    ns = cluster.ns("main")
    policy: dict[str, Any] = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"}}
    both = objects(cluster, o.stateful_set("one", **policy), o.stateful_set("two", **policy), o.config_map("a"))
    cluster.ok({"db": both})
    claims = {name: uid(cluster, o.core("persistentvolumeclaims", ns, f"data-{name}-0")) for name in ("one", "two")}
    cluster.ok({"db": objects(cluster, o.stateful_set("two", **policy), o.config_map("a"))})
    assert cluster.get(o.apps("statefulsets", ns, "one")) is None
    report = cluster.remove("db")
    assert not report.failed, report.results
    assert cluster.get(o.apps("statefulsets", ns, "two")) is None
    for name, known in claims.items():
        live = o.live(cluster, o.core("persistentvolumeclaims", ns, f"data-{name}-0"))
        assert live["metadata"]["uid"] == known
        assert not live["metadata"].get("deletionTimestamp")
        assert not live["metadata"].get("ownerReferences")

    # Without the guard the cluster itself would collect it.
    cluster.ok({"db": objects(cluster, o.stateful_set("three", **policy))})
    monkeypatch.setattr(pruning, "_give_up_claims", lambda *words: None)
    cluster.remove("db")
    eventually(lambda: cluster.get(o.core("persistentvolumeclaims", ns, "data-three-0")) is None)


@pytest.mark.usefixtures("main")
def test_volumes_that_our_objects_own_need_consent(cluster: Cluster) -> None:
    """An operator made them for a custom resource: they would be collected with it."""
    ns, group = cluster.ns("main"), f"{cluster.name}.example.com"
    cluster.ok({"db": objects(cluster, o.definition(group), o.thing(group, "pg"))})
    pg = o.live(cluster, f"/apis/{group}/v1/namespaces/{ns}/things/pg")
    owner = {"apiVersion": f"{group}/v1", "kind": "Thing", "name": "pg", "uid": pg["metadata"]["uid"]}
    made = o.claim("pg-data")
    made["metadata"]["ownerReferences"] = [owner]
    cluster.apply(o.core("persistentvolumeclaims", ns, "pg-data"), made, manager="operator")
    before = writes(cluster)
    with pytest.raises(EngineError) as told:
        cluster.remove("db")
    assert told.value.code == "SLW-5007"
    assert f"{ns}/pg-data" in told.value.message
    assert writes(cluster) == before
    report = cluster.remove("db", pvcs=["db"], crds={"db": 0})
    assert not report.failed, report.results
    eventually(lambda: cluster.get(o.core("persistentvolumeclaims", ns, "pg-data")) is None)


def test_namespace_with_an_object_owned_from_outside_stays(cluster: Cluster) -> None:
    """What has an owner goes with its owner; an owner outside the namespace does not go with it."""
    ns, group = cluster.ns("main"), f"{cluster.name}.example.com"
    foreign_crd = o.definition(group, scope="Cluster")
    foreign_crd["metadata"]["labels"] = {"slipway.cluster/name": cluster.name}
    cluster.apply(f"{o.CRDS}/things.{group}", foreign_crd)
    path = f"/apis/{group}/v1/things/outside"
    eventually(lambda: _applied(cluster, path, o.thing(group, "outside")))
    cluster.ok({"one": objects(cluster, o.config_map("a"))})
    outside = o.live(cluster, path)
    data = o.config_map("data")
    data["metadata"]["ownerReferences"] = [
        {"apiVersion": f"{group}/v1", "kind": "Thing", "name": "outside", "uid": outside["metadata"]["uid"]}
    ]
    cluster.apply(o.core("configmaps", ns, "data"), data)
    report = cluster.remove("one")
    assert not report.failed
    assert cluster.get(o.core("configmaps", ns, "data"))
    assert "ConfigMap data" in "\n".join(report.kept["one"])


def _applied(cluster: Cluster, path: str, body: o.Json) -> bool:
    try:
        cluster.apply(path, body)
    except ApiError:
        return False
    return True
