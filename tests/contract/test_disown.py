# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The way back from an adoption: nothing is deleted, and Helm and kubectl go on as if we had never been there."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from ansible_collections.slipway.cluster.plugins.module_utils.addons.record import ReleaseState, to_config_map
from ansible_collections.slipway.cluster.plugins.module_utils.addons.takeover import LAST_APPLIED
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster

pytestmark = pytest.mark.lab

TEMPLATES = {
    "config.yaml": """
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data:
  {{- range $key, $value := .Values.text }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
""",
    "gate.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: gate}
spec:
  replicas: 0
  selector: {matchLabels: {app: gate}}
  template:
    metadata: {labels: {app: gate}}
    spec:
      containers:
        - name: gate
          image: example.org/gate:{{ .Values.image }}
          env: [{{ range $key, $value := .Values.text }}{name: {{ $key }}, value: {{ $value | quote }}},{{ end }}]
""",
}


@pytest.fixture(autouse=True)
def home(cluster: Cluster) -> None:
    o.make_namespaces(cluster, cluster.home, cluster.ns("app"))


def app(cluster: Cluster, folder: Path, image: str = "1", **text: str) -> dict[str, Any]:
    chart = {"path": o.chart(folder, "app", TEMPLATES, text={}, image="0")}
    return {"app": {"chart": chart, "namespace": cluster.ns("app"), "values": {"text": text, "image": image}}}


def adopting(addons: dict[str, Any]) -> dict[str, Any]:
    return {name: {**addon, "adopt": True} for name, addon in addons.items()}


def disown(cluster: Cluster, *names: str, addons: dict[str, Any] | None = None) -> Any:
    return cluster.ok(addons or {}, "remove", disown=names)


def config(cluster: Cluster, name: str = "config") -> o.Json:
    return o.live(cluster, o.core("configmaps", cluster.ns("app"), name))


def gate(cluster: Cluster, name: str = "gate") -> o.Json:
    return o.live(cluster, o.apps("deployments", cluster.ns("app"), name))


def seen(cluster: Cluster, data: str = "config", workload: str = "gate") -> tuple[o.Json, dict[str, str], str]:
    """What the two objects say: data, environment, image."""
    container = gate(cluster, workload)["spec"]["template"]["spec"]["containers"][0]
    return (
        config(cluster, data)["data"],
        {e["name"]: e["value"] for e in container.get("env") or []},
        container["image"],
    )


def managers(live: o.Json) -> set[str]:
    entries = live["metadata"]["managedFields"]
    return {f"{e['manager']}/{e['operation']}" for e in entries if not e.get("subresource")}


def unmarked(cluster: Cluster, workload: str = "gate") -> None:
    """Nothing in the namespace tells of us, and nothing is left at home."""
    for kind in ("configmaps", "secrets"):
        for item in cluster.client().list(f"/api/v1/namespaces/{cluster.ns('app')}/{kind}"):
            assert "slipway" not in json.dumps(item["metadata"].get("labels") or {}), item["metadata"]["name"]
            assert "slipway" not in json.dumps(item["metadata"].get("annotations") or {}), item["metadata"]["name"]
            assert "slipway/" not in str(managers(item)), item["metadata"]["name"]
        left = cluster.client().list(f"/api/v1/namespaces/{cluster.home}/{kind}", metadata=True)
        assert not [item["metadata"]["name"] for item in left if item["metadata"]["name"] != "kube-root-ca.crt"]
    assert "slipway" not in json.dumps(gate(cluster, workload)["metadata"])


@pytest.mark.parametrize("cluster", [3, 4], indirect=True)
def test_release_goes_to_helm_and_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    def helm(*words: str) -> str:
        return o.helm(cluster, *words, "-n", cluster.ns("app"))

    chart = app(cluster, tmp_path)["app"]["chart"]["path"]
    helm("install", "app", chart, "--set", "text.a=1,text.b=1", "--set", "image=0")
    uid = gate(cluster)["metadata"]["uid"]
    two = app(cluster, tmp_path, "2", a="2", c="2")
    cluster.ok(adopting(two))
    assert seen(cluster) == ({"a": "2", "c": "2"}, {"a": "2", "c": "2"}, "example.org/gate:2")

    text = cluster.text(two, "remove", disown=["app"])
    assert "- app                  disown   1.0.0            2 objects stay, nothing is deleted" in text
    assert "2 objects: 1 ConfigMap, 1 Deployment  to helm (Apply)" in text
    assert "still in the manifest: from then on somebody else's there, until adopt: true" in text
    assert cluster.plan(two).result == "unchanged"
    disown(cluster, "app", addons=two)
    unmarked(cluster)
    assert managers(config(cluster)) == {"helm/Apply"}
    assert seen(cluster) == ({"a": "2", "c": "2"}, {"a": "2", "c": "2"}, "example.org/gate:2")

    # Somebody else's now, until the word is given.
    assert cluster.plan(two).addons[0].problems[0].code == "SLW-3201"
    plan = cluster.plan(adopting(two)).addons[0]
    assert plan.action is Action.ADOPT
    assert not any(item.fields for item in plan.objects)
    assert not plan.drift
    # Every command works without force, and takes away what it should.
    helm("upgrade", "app", chart, "--set", "text.c=3", "--set", "image=3")
    assert seen(cluster) == ({"c": "3"}, {"c": "3"}, "example.org/gate:3")
    helm("rollback", "app", "2")
    assert seen(cluster) == ({"a": "2", "c": "2"}, {"a": "2", "c": "2"}, "example.org/gate:2")
    helm("rollback", "app", "1")
    assert seen(cluster) == ({"a": "1", "b": "1"}, {"a": "1", "b": "1"}, "example.org/gate:0")

    # Ours again as it stands, and once more not: for good this time, with an add-on that nobody names any more.
    one = app(cluster, tmp_path, "0", a="1", b="1")
    before = gate(cluster)["metadata"]
    report = cluster.ok(adopting(one))
    assert not any(item.fields for item in report.plan.addons[0].objects)
    after = gate(cluster)["metadata"]
    assert (after["uid"], after["generation"]) == (uid, before["generation"])
    assert cluster.plan(one).result == "unchanged"
    disown(cluster, "app")
    unmarked(cluster)
    helm("uninstall", "app")
    assert cluster.get(o.core("configmaps", cluster.ns("app"), "config")) is None


def objects(cluster: Cluster, image: str, name: str = "own", **text: str) -> dict[str, Any]:
    """A ConfigMap and a Deployment of the add-on's name."""
    deployment = o.deployment(name)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container.update(image=f"example.org/gate:{image}", env=[{"name": k, "value": v} for k, v in text.items()])
    deployment["spec"]["replicas"] = 0
    return {name: {"namespace": cluster.ns("app"), "objects": [o.config_map(name, **text), deployment]}}


def kubectl(cluster: Cluster, addons: dict[str, Any], *words: str) -> None:
    items = [item for addon in addons.values() for item in addon["objects"]]
    command = [cluster.env["bin"]["kubectl"], "--kubeconfig", cluster.env["kubeconfig"], "-n", cluster.ns("app")]
    done = subprocess.run(
        [*command, "apply", *words, "-f", "-"],
        input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


CLIENT, SERVER, CI = "client", "server", "ci"
WORDS = {CLIENT: (), SERVER: ("--server-side",), CI: ("--server-side", "--field-manager=ci")}
# How they were applied before they were adopted (if they were not ours from the first), how afterwards, and who holds
# them in between.
WAYS = {
    "client": (CLIENT, CLIENT, "kubectl-client-side-apply/Update"),
    "server": (SERVER, SERVER, "kubectl/Apply"),
    "ci": (CI, CI, "ci/Apply"),
    "ours-client": ("", CLIENT, "kubectl-client-side-apply/Update"),
    "ours-server": ("", SERVER, "kubectl-client-side-apply/Update"),
}


def test_objects_go_to_kubectl(cluster: Cluster) -> None:
    """Adopted from kubectl in one of its ways, or ours from the first: ``kubectl apply`` goes on without conflict."""

    def every(image: str, **text: str) -> dict[str, Any]:
        return {k: v for name in WAYS for k, v in objects(cluster, image, name, **text).items()}

    def applied(addons: dict[str, Any], column: int) -> None:
        for way, words in WORDS.items():
            chosen = {name: addons[name] for name in WAYS if WAYS[name][column] == way}
            if chosen:
                kubectl(cluster, chosen, *words)

    def all_seen() -> list[tuple[o.Json, dict[str, str], str]]:
        return [seen(cluster, name, name) for name in WAYS]

    applied(every("1", a="1", b="1"), 0)
    two = every("2", a="2", b="2")
    cluster.ok(adopting(two))
    disown(cluster, *WAYS)
    for name, (_first, _then, holder) in WAYS.items():
        unmarked(cluster, name)
        assert managers(config(cluster, name)) == {holder}, name
    assert all_seen() == [({"a": "2", "b": "2"}, {"a": "2", "b": "2"}, "example.org/gate:2")] * len(WAYS)
    three = every("3", a="3")
    applied(three, 1)
    assert all_seen() == [({"a": "3"}, {"a": "3"}, "example.org/gate:3")] * len(WAYS)
    # And back again, as it stands.
    assert {plan.action for plan in cluster.plan(three).addons} == {Action.BLOCKED}
    report = cluster.ok(adopting(three))
    assert not any(item.fields for plan in report.plan.addons for item in plan.objects)
    assert cluster.plan(three).result == "unchanged"


def test_secret_gets_no_copy_of_its_data(cluster: Cluster) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": {"password": "hidden"}}
    cluster.ok({"own": {"namespace": cluster.ns("app"), "objects": [secret]}})
    disown(cluster, "own")
    live = o.live(cluster, o.core("secrets", cluster.ns("app"), "login"))
    assert managers(live) == {"kubectl/Apply"}
    assert LAST_APPLIED not in (live["metadata"].get("annotations") or {})


def test_what_others_use_stays_theirs(cluster: Cluster) -> None:
    """A namespace and a CRD of two add-ons go on with the one that stays; the key goes with the last record."""
    group = f"{cluster.name}.example.org"
    space = {"namespace": cluster.ns("made"), "objects": [o.definition(group)]}
    addons = {
        "one": {**space, "objects": [*space["objects"], o.config_map("one")]},
        "two": {**space, "after": ["one"], "objects": [*space["objects"], o.config_map("two")]},
    }
    cluster.ok(addons)
    report = disown(cluster, "one")
    assert [str(item.id) for item in report.plan.addons[0].objects if item.op == "hand over"] == [
        f"ConfigMap {cluster.ns('made')}/one"
    ]
    made = o.live(cluster, f"/api/v1/namespaces/{cluster.ns('made')}")
    assert made["metadata"]["annotations"]["slipway.cluster/created-by"] == cluster.name
    assert cluster.plan({"two": {**addons["two"], "after": []}}).result == "unchanged"
    disown(cluster, "two")
    made = o.live(cluster, f"/api/v1/namespaces/{cluster.ns('made')}")
    assert "annotations" not in made["metadata"]
    assert "slipway" not in json.dumps(o.live(cluster, f"{o.CRDS}/things.{group}")["metadata"])
    assert cluster.get(o.core("secrets", cluster.home, f"slipway.{cluster.name}.key")) is None
    cluster.client().delete(f"{o.CRDS}/things.{group}")


def test_what_is_refused(cluster: Cluster) -> None:
    def refused(addons: dict[str, Any], **options: Any) -> FindingsError:
        with pytest.raises(FindingsError) as caught:
            cluster.plan(addons, "remove", **options)
        return caught.value

    one = objects(cluster, "1", a="1")
    cluster.ok(one)
    error = refused(one, disown=["own", "onw"], remove=["own"])
    assert sorted(f.code for f in error.findings) == ["SLW-3411", "SLW-3414"]
    assert "did you mean 'own'?" in str(error)

    record = o.recorded(cluster)["own"]
    uid = o.live(cluster, "/api/v1/namespaces/kube-system")["metadata"]["uid"]

    def say(state: ReleaseState) -> None:
        body = to_config_map(replace(record, state=state), name=cluster.name, cluster=uid, namespace=cluster.home)
        cluster.apply(o.core("configmaps", cluster.home, f"slipway.{cluster.name}.own"), body, manager="slipway")

    say(ReleaseState.PENDING)
    assert [f.code for f in refused(one, disown=["own"]).findings] == ["SLW-3412"]
    say(ReleaseState.APPLIED)

    # An object that cannot be handed over stops it half way: nobody works on that before it has ended.
    frozen = o.webhook(f"{cluster.name}-frozen", f"/frozen-{cluster.name}", cluster.env, ["deployments"], ["UPDATE"],
                       namespaces=[cluster.ns("app")])  # fmt: skip
    o.order(cluster.env, f"/frozen-{cluster.name}", "deny")
    with o.there(cluster, f"{o.WEBHOOKS}/{cluster.name}-frozen", frozen):
        report = cluster.run(one, "remove", disown=["own"])
    assert report.failed
    assert "SLW-3415" in report.results["own"].reason
    assert f"Deployment {cluster.ns('app')}/own" in report.results["own"].reason
    assert managers(config(cluster, "own")) == {"kubectl-client-side-apply/Update"}
    assert managers(gate(cluster, "own")) == {"slipway/Apply"}
    plan = cluster.plan(adopting(one)).addons[0]
    assert plan.problems[0].code == "SLW-3413"
    assert cluster.run(one).failed
    assert managers(gate(cluster, "own")) == {"slipway/Apply"}
    disown(cluster, "own", addons=one)
    unmarked(cluster, "own")
    # Once more: there is nothing to do, and nothing to complain about.
    assert not cluster.plan(one, "remove", disown=["own"]).addons
