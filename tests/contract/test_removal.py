# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Removal: in reverse order, with consent only, nothing foreign, and afterwards exactly what was printed is left."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons import namespaces, remove
from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Report
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import ConsentError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Op
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from tests.contract.fixtures import objects as o
from tests.contract.support import CHARTS, Cluster, eventually, snapshot, writes_in

pytestmark = pytest.mark.lab

FURNITURE = ("ServiceAccount {}/default", "ConfigMap {}/kube-root-ca.crt")


def addon(cluster: Cluster, *items: o.Json, **more: Any) -> dict[str, Any]:
    return {"namespace": cluster.ns("main"), "objects": list(items), "timeout": 30, **more}


def chart(cluster: Cluster, name: str, **more: Any) -> dict[str, Any]:
    return {"chart": {"path": str(CHARTS / name)}, "namespace": cluster.ns(name), "timeout": 30, **more}


def existing(cluster: Cluster) -> None:
    """For tests that are not about namespaces: neither is ours to remove."""
    o.make_namespaces(cluster, cluster.home, cluster.ns("main"))


def writes(cluster: Cluster) -> list[str]:
    return writes_in(cluster.env["audit_log"], f"test {cluster.name}")


def kept_of(report: Report) -> set[str]:
    """The printed list of what stays, in the words of ``snapshot``."""
    found: set[str] = set()
    for line in (line for lines in report.kept.values() for line in lines):
        kind, where = line.split(": ")[0].split(" ", 1)
        found.add(f"{kind} {where if '/' in where else f'/{where}'}")
        if kind == "Namespace":
            # The cluster makes these in every namespace.
            found |= {item.format(where) for item in FURNITURE}
        elif kind == "CustomResourceDefinition":
            # Registered by the API server for as long as the CRD is there.
            found.add(f"APIService /v1.{where.split('.', 1)[1]}")
    return found


def platform(cluster: Cluster) -> dict[str, Any]:
    """A graph: database <- portal <- policies, things beside them; claims of both kinds, a CRD, hooks, all of it."""
    group = f"{cluster.name}.example.com"
    storage = {"values": {"persistence": {"storageClass": o.CLASS}}}
    return {
        "database": chart(cluster, "database", **storage),
        "portal": chart(cluster, "portal", after=["database"]),
        "policies": addon(cluster, o.config_map("policies"), after=["portal"]),
        "backup": chart(cluster, "backup", namespace=cluster.ns("database"), **storage),
        "things": addon(
            cluster,
            o.definition(group),
            o.thing(group, "ours"),
            o.deployment("operator"),
            namespace=cluster.ns("things"),
        ),
    }


@pytest.mark.alone
@pytest.mark.parametrize(
    ("cluster", "consent"),
    [(4, False), (3, True)],
    ids=["no-consent-helm4", "all-consents-helm3"],
    indirect=["cluster"],
)
def test_afterwards_the_api_holds_exactly_what_was_printed(cluster: Cluster, consent: bool) -> None:
    addons = platform(cluster)
    group = f"{cluster.name}.example.com"
    before = snapshot(cluster.client())
    cluster.ok(addons)
    foreign = f"/apis/{group}/v1/namespaces/{cluster.ns('things')}/things/theirs"
    cluster.apply(foreign, o.thing(group, "theirs"), manager="somebody")
    events: list[Event] = []
    options: dict[str, Any] = {"emit": events.append}
    if consent:
        options |= {"pvcs": ["database", "backup"], "crds": {"things": 1}, "kept": ["database"]}
    report = cluster.remove(*addons, **options)
    assert not report.failed, report.results

    begun = [event.addon for event in events if event.state == "removing"]
    assert begun.index("policies") < begun.index("portal") < begun.index("database")
    done = {event.addon: n for n, event in enumerate(events) if event.state == "deleting"}
    first = {event.addon: n for n, event in reversed(list(enumerate(events))) if event.state == "removing"}
    assert done["policies"] < first["portal"]
    assert done["portal"] < first["database"]

    # Pods, and what their owners' deletion takes along, go a moment later.
    theirs = set() if consent else {f"Thing {cluster.ns('things')}/theirs"}
    left = left_over(cluster, before, kept_of(report) | theirs)
    assert left == kept_of(report) | theirs
    if consent:
        assert not [line for lines in report.kept.values() for line in lines]
        assert not left
    else:
        printed = "\n".join(line for lines in report.kept.values() for line in lines)
        assert "PersistentVolumeClaim" in printed
        assert "CustomResourceDefinition" in printed
        assert "-recovery: helm.sh/resource-policy: keep" in printed


def left_over(cluster: Cluster, before: set[str], expected: set[str]) -> set[str]:
    deadline = time.monotonic() + 10
    while True:
        left = snapshot(cluster.client()) - before
        if left == expected or time.monotonic() > deadline:
            return left
        time.sleep(0.5)


def test_dependents_protect_what_they_need(cluster: Cluster) -> None:
    existing(cluster)
    cluster.ok(
        {
            "db": addon(cluster, o.config_map("db"), provides=["sql"]),
            "app": addon(cluster, o.config_map("app"), requires=["sql"]),
        }
    )
    before = writes(cluster)
    with pytest.raises(ConsentError) as told:
        cluster.remove("db")
    assert told.value.code == "SLW-5002"
    assert "app (sql)" in told.value.message
    assert "slipway_remove_addons=db,app" in told.value.advice
    assert writes(cluster) == before
    assert not cluster.remove("db", "app").failed
    assert cluster.get(o.core("configmaps", cluster.ns("main"), "db")) is None


def test_protected_addons_refuse(cluster: Cluster) -> None:
    existing(cluster)
    cluster.ok({"db": addon(cluster, o.config_map("db"), protected=True)})
    before = writes(cluster)
    attempts: list[dict[str, Any]] = [
        {"operation": "remove", "remove": ["db"]},
        {"operation": "install", "prune": ["db"]},
    ]
    for options in attempts:
        with pytest.raises(ConsentError) as told:
            cluster.run({}, **options)
        assert told.value.code == "SLW-5003"
    assert writes(cluster) == before
    assert not cluster.remove("db", protected=["db"]).failed
    assert cluster.get(o.core("configmaps", cluster.ns("main"), "db")) is None


@pytest.mark.parametrize("cluster", [3, 4], indirect=True)
@pytest.mark.parametrize("ours", ["lma", "lma2"])
def test_foreign_release_with_a_similar_name_survives(cluster: Cluster, ours: str) -> None:
    o.make_namespaces(cluster, cluster.home)
    ns, theirs = cluster.ns("notifier"), "lma2" if ours == "lma" else "lma"
    cluster.ok({ours: chart(cluster, "notifier")})
    o.helm(cluster, "install", theirs, str(CHARTS / "notifier"), "-n", ns)
    # As near as it can be: the labels of ours, and an add-on's name in them.
    path = o.core("services", ns, f"{theirs}-notifier")
    cluster.patch(path, {"metadata": {"labels": {"slipway.cluster/name": cluster.name, "slipway.cluster/addon": ours}}})
    before = _identities(cluster, ns, theirs)
    assert len(before) == 4
    report = cluster.remove(ours)
    assert not report.failed, report.results
    assert _identities(cluster, ns, theirs) == before
    assert not _identities(cluster, ns, ours)
    assert theirs in o.helm(cluster, "list", "-n", ns, "--short").split()
    assert f"Namespace {ns}: " in "\n".join(report.kept[ours])


def _identities(cluster: Cluster, ns: str, release: str) -> dict[str, str]:
    paths = [
        o.apps("deployments", ns, f"{release}-notifier"),
        o.core("services", ns, f"{release}-notifier"),
        o.core("secrets", ns, f"{release}-notifier"),
        o.core("secrets", ns, f"sh.helm.release.v1.{release}.v1"),
    ]
    live = {path: cluster.get(path) for path in paths}
    return {path: item["metadata"]["uid"] for path, item in live.items() if item}


def test_foreign_release_of_the_same_name_as_ours_survives(cluster: Cluster) -> None:
    """An add-on without a chart has no release in Helm's sense: one of the same name in its namespace is foreign."""
    o.make_namespaces(cluster, cluster.home)
    ns = cluster.ns("main")
    cluster.ok({"lma": addon(cluster, o.config_map("a"))})
    storage = o.config_map("sh.helm.release.v1.lma.v1")
    storage |= {"kind": "Secret", "type": "helm.sh/release.v1", "data": {"release": ""}}
    storage["metadata"]["labels"] = {"owner": "helm", "name": "lma", "version": "1", "status": "deployed"}
    cluster.apply(o.core("secrets", ns, "sh.helm.release.v1.lma.v1"), storage, manager="helm")
    report = cluster.remove("lma")
    assert not report.failed
    assert cluster.get(o.core("secrets", ns, "sh.helm.release.v1.lma.v1"))
    assert f"Namespace {ns}: 1 other object" in "\n".join(report.kept["lma"])


def test_stuck_finalizer_is_named_in_time_with_who_set_it(cluster: Cluster) -> None:
    existing(cluster)
    ns = cluster.ns("main")
    cluster.ok({"one": addon(cluster, o.config_map("held"), o.config_map("free"), remove={"timeout": 5})})
    path = o.core("configmaps", ns, "held")
    cluster.patch(path, {"metadata": {"finalizers": ["backup.example.com/hold"]}}, manager="backup-agent")
    started = time.monotonic()
    report = cluster.remove("one")
    assert time.monotonic() - started < 9
    assert report.failed
    reason = report.results["one"].reason
    assert "SLW-5101" in reason
    assert f"ConfigMap {ns}/held" in reason
    assert "backup.example.com/hold, set by backup-agent" in reason
    assert f"ConfigMap {ns}/free" not in reason
    # What has gone is out of the record, what has not is in it.
    assert {x for x in o.listed(cluster, "one") if x.startswith("ConfigMap")} == {f"ConfigMap {ns}/held"}
    cluster.patch(path, {"metadata": {"finalizers": None}})
    assert not cluster.remove("one").failed
    assert o.recorded(cluster) == {}


def test_t26_stuck_namespace_names_what_remains(cluster: Cluster) -> None:
    o.make_namespaces(cluster, cluster.home)
    ns = cluster.ns("main")
    cluster.ok({"one": addon(cluster, o.config_map("a"), remove={"timeout": 5})})
    # On its way out already, so no reason to keep the namespace; but somebody holds it.
    held = o.config_map("held")
    held["metadata"]["finalizers"] = ["backup.example.com/hold"]
    path = o.core("configmaps", ns, "held")
    cluster.apply(path, held, manager="backup-agent")
    cluster.client().delete(path)
    started = time.monotonic()
    report = cluster.remove("one")
    assert time.monotonic() - started < 20
    assert report.failed
    reason = report.results["one"].reason
    assert f"Namespace {ns}" in reason
    assert "configmaps" in reason
    assert "backup.example.com/hold" in reason
    assert f"Namespace {ns}" in o.listed(cluster, "one")
    cluster.patch(path, {"metadata": {"finalizers": None}})
    assert not cluster.remove("one").failed
    assert cluster.get(f"/api/v1/namespaces/{ns}") is None


def _api_service(cluster: Cluster, ns: str) -> o.Json:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{cluster.name}.example.com"},
        "spec": {
            "group": f"{cluster.name}.example.com",
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "nobody", "namespace": ns, "port": 443},
        },
    }


@pytest.mark.alone
def test_foreign_dead_apiservice_is_named_before_the_namespace_hangs(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    o.make_namespaces(cluster, cluster.home)
    ns = cluster.ns("main")
    cluster.ok({"one": addon(cluster, o.config_map("a"), remove={"timeout": 5})})
    path = f"{o.API_SERVICES}/v1.{cluster.name}.example.com"
    with o.there(cluster, path, _api_service(cluster, ns)):
        eventually(lambda: namespaces.blocking_api_services(cluster.client()))
        report = cluster.remove("one")
        assert report.failed
        assert "SLW-5102" in report.results["one"].reason
        assert f"v1.{cluster.name}.example.com" in report.results["one"].reason
        # The namespace was not sent into a state from which it cannot come back.
        assert not o.live(cluster, f"/api/v1/namespaces/{ns}")["metadata"].get("deletionTimestamp")
        assert cluster.get(o.core("configmaps", ns, "a")) is None
        with monkeypatch.context() as patched:
            patched.setattr(remove, "blocking_api_services", lambda client: [])
            assert cluster.remove("one").failed
            assert o.live(cluster, f"/api/v1/namespaces/{ns}")["metadata"].get("deletionTimestamp")
    report = cluster.remove("one")
    assert not report.failed, report.results
    assert cluster.get(f"/api/v1/namespaces/{ns}") is None


@pytest.mark.alone
def test_our_own_dead_apiservice_goes_before_the_namespace(cluster: Cluster) -> None:
    o.make_namespaces(cluster, cluster.home)
    ns = cluster.ns("main")
    # Nobody waits for it to be served, as nobody does where pods are simulated.
    cluster.ok({"one": addon(cluster, o.config_map("a"), _api_service(cluster, ns), timeout=0)})
    path = f"{o.API_SERVICES}/v1.{cluster.name}.example.com"
    try:
        eventually(lambda: namespaces.blocking_api_services(cluster.client()))
        report = cluster.remove("one")
        assert not report.failed, report.results
        assert cluster.get(path) is None
        assert cluster.get(f"/api/v1/namespaces/{ns}") is None
    finally:
        o.gone(cluster, path)


def _nobody() -> str:
    """An address that refuses connections."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{one.getsockname()[1]}/"


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "foreign"])
def test_dead_webhook_that_refuses_everything(cluster: Cluster, ours: bool) -> None:
    """Our own goes first, record or no record: it has nobody to ask. A foreign one is named, and nothing is forced."""
    existing(cluster)
    ns, group, path = cluster.ns("main"), f"{cluster.name}.example.com", f"/{cluster.name}"
    everything = ["configmaps", "things"]
    all_of_them = ["CREATE", "UPDATE", "DELETE"]
    spaces = [ns, cluster.home]
    hook = o.webhook(cluster.name, path, cluster.env, everything, all_of_them, namespaces=spaces)
    parts = [o.definition(group), o.thing(group, "mine"), o.config_map("a")]
    cluster.ok({"one": addon(cluster, *parts, *([hook] if ours else []), remove={"timeout": 5})})
    where = f"{o.WEBHOOKS}/{cluster.name}"
    if not ours:
        cluster.apply(where, {**hook, "metadata": {"name": cluster.name}})
    dead = [{**hook["webhooks"][0], "clientConfig": {**hook["webhooks"][0]["clientConfig"], "url": _nobody()}}]
    cluster.patch(where, {"webhooks": dead}, manager="accident")
    try:
        eventually(lambda: not _deletable(cluster, o.core("configmaps", ns, "a")))
        report = cluster.remove("one", crds={"one": 0})
        if ours:
            assert not report.failed, report.results
            assert cluster.get(where) is None
            assert cluster.get(o.core("configmaps", ns, "a")) is None
            assert cluster.get(f"{o.CRDS}/things.{group}") is None
        else:
            assert report.failed
            assert f"{cluster.name}.lab.slipway" in report.results["one"].reason
            assert cluster.get(where)
            assert cluster.get(o.core("configmaps", ns, "a"))
            o.gone(cluster, where)
            eventually(lambda: _deletable(cluster, o.core("configmaps", ns, "a")))
            assert not cluster.remove("one", crds={"one": 0}).failed
    finally:
        o.gone(cluster, where)


def _deletable(cluster: Cluster, path: str) -> bool:
    try:
        cluster.client().write("DELETE", path, None, {"dryRun": "All"})
    except KubeError:
        return False
    return True


def test_plan_of_a_removal_says_what_will_stay(cluster: Cluster) -> None:
    existing(cluster)
    ns = cluster.ns("main")
    cluster.ok({"one": addon(cluster, o.claim("data"), o.stateful_set("db"), o.config_map("a"))})
    plan = cluster.plan({}, "remove", remove=["one"]).addons[0]
    ops = {str(item.id): item.op for item in plan.objects if item.id.kind != "PersistentVolume"}
    assert ops[f"PersistentVolumeClaim {ns}/data"] is Op.KEEP
    assert ops[f"PersistentVolumeClaim {ns}/data-db-0"] is Op.KEEP
    assert ops[f"ConfigMap {ns}/a"] is Op.DELETE
    text = cluster.text({}, "remove", remove=["one"])
    assert f"PersistentVolumeClaim {ns}/data-db-0" in text
    assert text.count("PersistentVolume pvc-") == 2
    volumes = {item.id.name for item in plan.objects if item.id.kind == "PersistentVolume"}
    assert not cluster.remove("one").failed
    assert all(cluster.get(f"/api/v1/persistentvolumes/{name}") for name in volumes)
    # The add-on that comes back finds its data again.
    uid = o.live(cluster, o.core("persistentvolumeclaims", ns, "data"))["metadata"]["uid"]
    cluster.ok({"one": addon(cluster, o.claim("data"), o.stateful_set("db"), o.config_map("a"))})
    assert o.live(cluster, o.core("persistentvolumeclaims", ns, "data"))["metadata"]["uid"] == uid
    report = cluster.remove("one", pvcs=["one"])
    assert not report.failed
    assert not [line for line in report.kept["one"] if "Volume" in line]
    assert not [name for name in volumes if cluster.get(f"/api/v1/persistentvolumes/{name}")]
