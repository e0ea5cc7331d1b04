# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What other tools have told as drift though nobody had changed anything, or have not told at all.

Each test that finds nothing goes on to make a real change in the same objects, and finds that and nothing else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons import applying
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, AddonPlan, Drift, Op
from lab import nodes
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster, eventually

pytestmark = pytest.mark.lab

IMAGE = "spec.template.spec.containers[main].image"
OTHER = "registry.example/slipway/thing:2"


@pytest.fixture(scope="module")
def cluster(shared: Cluster) -> Cluster:
    """One namespace and one ``slipway_name`` for all tests; each has an add-on of its own."""
    o.make_namespaces(shared, shared.ns("main"))
    return shared


def addon(cluster: Cluster, *items: o.Json, **more: Any) -> dict[str, Any]:
    return {"namespace": cluster.ns("main"), "objects": json.loads(json.dumps(items)), "timeout": 20, **more}


def only(cluster: Cluster, addons: dict[str, Any], **options: Any) -> AddonPlan:
    """The plan of the one add-on that a test is about."""
    plan = cluster.plan(addons, **options)
    assert len(plan.addons) == 1
    return plan.addons[0]


def told(plan: AddonPlan) -> dict[str, tuple[Any, Any, str]]:
    """What the plan says of drift: by field both values and the manager."""
    return {drift.field: (drift.ours, drift.live, drift.manager) for drift in plan.drift}


def asked(plan: AddonPlan) -> dict[str, tuple[Any, Any, str]]:
    """What waits for a decision: what is kept by a rule may be told beside it."""
    fields = {drift.field for drift in plan.drift if drift.decision == "report"}
    return {field: values for field, values in told(plan).items() if field in fields}


def quiet(plan: AddonPlan) -> bool:
    """Nothing to tell and nothing to write."""
    return not plan.drift and not plan.problems and plan.action in (Action.UNCHANGED, Action.REFRESH)


def set_image(cluster: Cluster, kind: str, name: str, image: str = OTHER) -> None:
    o.kubectl(cluster, "-n", cluster.ns("main"), "set", "image", f"{kind}/{name}", f"main={image}")


def quiet_deployment(name: str, **container: Any) -> o.Json:
    """Without pods, so that nobody waits for them."""
    body = o.deployment(name)
    body["spec"]["replicas"] = 0
    body["spec"]["template"]["spec"]["containers"][0].update(container)
    return body


# --- T01


def api_service(name: str, bundle: str | None) -> o.Json:
    version, group = name.split(".", 1)
    spec = {
        "group": group,
        "version": version,
        "groupPriorityMinimum": 100,
        "versionPriority": 10,
        "service": {"name": "none", "namespace": "none", "port": 443},
    }
    if bundle is not None:
        spec["caBundle"] = bundle
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name},
        "spec": spec,
    }


def converted(group: str) -> o.Json:
    body = o.definition(group, "v1beta1", "v1")
    service = {"name": "none", "namespace": "none", "path": "/"}
    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": {"service": service}}
    body["spec"]["conversion"] = {"strategy": "Webhook", "webhook": webhook}
    return body


@pytest.mark.alone
@pytest.mark.parametrize("bundle", [None, "", "Cg=="], ids=["silent", "empty", "placeholder"])
def test_t01_an_injected_ca_bundle_is_no_drift(cluster: Cluster, bundle: str | None) -> None:
    """Operators' charts: tool and CA injector take the field from each other for ever, or the webhook stops working."""
    injected = base64.b64encode(Path(cluster.env["webhook_ca"]).read_bytes()).decode()
    word = {None: "silent", "": "empty", "Cg==": "placeholder"}[bundle]
    name = f"{cluster.name}-{word}"
    group, served = f"{name}.example.com", f"served.{name}.example.com"
    places = {
        f"{o.MUTATING}/{name}": ("/webhooks/0/clientConfig/caBundle", o.hooks(name, "Mutating", bundle)),
        f"{o.WEBHOOKS}/{name}": ("/webhooks/0/clientConfig/caBundle", o.hooks(name, "Validating", bundle)),
        f"{o.API_SERVICES}/v1.{served}": ("/spec/caBundle", api_service(f"v1.{served}", bundle)),
    }
    if bundle is None:
        # A CRD with an unusable bundle is refused by the API server, so charts leave it out.
        pointer = "/spec/conversion/webhook/clientConfig/caBundle"
        places[f"{o.CRDS}/things.{group}"] = (pointer, converted(group))
    addons = {f"ca-{word}": addon(cluster, *(body for _, body in places.values()), timeout=0)}
    try:
        cluster.ok(addons)
        for path, (pointer, _) in places.items():
            o.inject(cluster, path, pointer, injected, "cainjector")
        assert quiet(only(cluster, addons)), told(only(cluster, addons))
        cluster.ok(addons)

        # The next version of the chart changes something else, and leaves the bundle as it is.
        for item in addons[f"ca-{word}"]["objects"]:
            item["metadata"]["labels"] = {"version": "next"}
        cluster.ok(addons)
        for path, (pointer, _) in places.items():
            assert at(o.live(cluster, path), pointer) == injected
        assert quiet(only(cluster, addons)), told(only(cluster, addons))

        # The counter-check: one real change in each.
        o.inject(cluster, f"{o.MUTATING}/{name}", "/webhooks/0/failurePolicy", "Fail", "kubectl-edit")
        o.inject(cluster, f"{o.WEBHOOKS}/{name}", "/webhooks/0/timeoutSeconds", 9, "kubectl-edit")
        o.inject(cluster, f"{o.API_SERVICES}/v1.{served}", "/spec/versionPriority", 11, "kubectl-edit")
        wanted = {
            f"webhooks[{name}.lab.slipway].failurePolicy": ("Ignore", "Fail", "kubectl-edit"),
            f"webhooks[{name}.lab.slipway].timeoutSeconds": (2, 9, "kubectl-edit"),
            "spec.versionPriority": (10, 11, "kubectl-edit"),
        }
        assert told(only(cluster, addons)) == wanted
    finally:
        # As long as an API server of somebody's does not answer, no namespace can be deleted.
        o.gone(cluster, f"{o.API_SERVICES}/v1.{served}")


def at(body: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body


# --- T02, T03


def test_t02_replicas_of_an_autoscaler_stay_when_the_image_changes(cluster: Cluster) -> None:
    """Helm 4 refuses the upgrade, other tools set the old number and take the pods from under the load."""
    path = o.apps("deployments", cluster.ns("main"), "scaled")
    body = o.deployment("scaled")
    body["spec"]["replicas"] = 2
    addons = {"scaled": addon(cluster, body, timeout=0)}
    cluster.ok(addons)
    o.scale(cluster, path, 5)
    plan = only(cluster, addons)
    assert told(plan) == {"spec.replicas": (2, 5, "kube-controller-manager")}
    assert [(d.decision, "scale" in d.note) for d in plan.drift] == [("keep", True)]
    assert cluster.plan(addons).result == "unchanged"

    addons["scaled"]["objects"][0]["spec"]["template"]["spec"]["containers"][0]["image"] = OTHER
    plan = only(cluster, addons)
    assert [f.path for x in plan.objects for f in x.fields] == [IMAGE]
    cluster.ok(addons)
    live = o.live(cluster, path)["spec"]
    assert (live["replicas"], live["template"]["spec"]["containers"][0]["image"]) == (5, OTHER)
    o.scale(cluster, path, 3)
    assert cluster.plan(addons).result == "unchanged"

    # The counter-check: the image by hand is found, and taken back without the replicas.
    set_image(cluster, "deployment", "scaled", o.IMAGE)
    assert asked(only(cluster, addons)) == {IMAGE: (OTHER, o.IMAGE, "kubectl-set")}
    cluster.ok(addons, overwrite=["scaled"])
    live = o.live(cluster, path)["spec"]
    assert (live["replicas"], live["template"]["spec"]["containers"][0]["image"]) == (3, OTHER)


def test_t03_rules_that_a_controller_expands_are_one_finding_and_silent_once_kept(cluster: Cluster) -> None:
    """Service meshes: the controller writes its webhook's rules, and every later run tells or reverts it."""
    name = f"{cluster.name}-rules"
    path = f"{o.WEBHOOKS}/{name}"
    rules = f"webhooks[{name}.lab.slipway].rules"
    addons = {"rules": addon(cluster, o.hooks(name, "Validating", None))}
    cluster.ok(addons)
    first = o.live(cluster, path)["webhooks"][0]["rules"]
    more = [*first, {**first[0], "resources": ["secrets"]}]
    o.inject(cluster, path, "/webhooks/0/rules", more, "webhook-controller")
    plan = only(cluster, addons)
    assert [(d.field, d.manager, d.decision) for d in plan.drift] == [(rules, "webhook-controller", "report")]
    assert cluster.plan(addons).result == "drift"

    cluster.ok(addons, keep=["rules"])
    assert o.live(cluster, path)["webhooks"][0]["rules"] == more
    assert cluster.plan(addons).result == "unchanged"
    addons["rules"]["objects"][0]["webhooks"][0]["timeoutSeconds"] = 3
    cluster.ok(addons)
    live = o.live(cluster, path)["webhooks"][0]
    assert (live["rules"], live["timeoutSeconds"]) == (more, 3)
    assert cluster.plan(addons).result == "unchanged"

    # The counter-check: another field.
    o.inject(cluster, path, "/webhooks/0/failurePolicy", "Fail", "kubectl-edit")
    wanted = {f"webhooks[{name}.lab.slipway].failurePolicy": ("Ignore", "Fail", "kubectl-edit")}
    assert asked(only(cluster, addons)) == wanted


def test_t03_what_is_kept_belongs_to_its_holder_and_is_told_when_it_changes_hands(cluster: Cluster) -> None:
    """The other side of a silence: it holds for one holder and one value of ours, not for whatever comes later."""
    path = o.core("configmaps", cluster.ns("main"), "kept")
    addons = {"kept": addon(cluster, o.config_map("kept", mode="ours"))}
    cluster.ok(addons)
    o.inject(cluster, path, "/data/mode", "theirs", "first-tool")
    assert asked(only(cluster, addons)) == {"data.mode": ("ours", "theirs", "first-tool")}
    cluster.ok(addons, keep=["kept"])
    assert cluster.plan(addons).result == "unchanged"
    o.inject(cluster, path, "/data/mode", "later", "first-tool")
    assert quiet(only(cluster, addons)), told(only(cluster, addons))

    def kept() -> dict[str, tuple[Any, Any, str, str]]:
        return {d.field: (d.ours, d.live, d.manager, d.decision) for d in only(cluster, addons).drift}

    o.inject(cluster, path, "/data/mode", "another", "second-tool")
    assert kept() == {"data.mode": ("ours", "another", "second-tool", "keep")}
    addons["kept"]["objects"][0]["data"]["mode"] = "next"
    assert kept() == {"data.mode": ("next", "another", "second-tool", "keep")}
    cluster.ok(addons)
    assert o.live(cluster, path)["data"] == {"mode": "another"}
    assert cluster.plan(addons).result == "unchanged"


def test_drift_that_nobody_decided_is_told_until_somebody_does(cluster: Cluster) -> None:
    """Also after a change of ours to the same object, which writes all its other fields."""
    path = o.core("configmaps", cluster.ns("main"), "open")
    addons = {"open": addon(cluster, o.config_map("open", mode="ours", k="v"))}
    cluster.ok(addons)
    o.inject(cluster, path, "/data/mode", "theirs", "kubectl-edit")
    wanted = {"data.mode": ("ours", "theirs", "kubectl-edit")}
    assert asked(only(cluster, addons)) == wanted
    addons["open"]["objects"][0]["data"]["k"] = "w"
    cluster.ok(addons)
    assert o.live(cluster, path)["data"] == {"mode": "theirs", "k": "w"}
    assert asked(only(cluster, addons)) == wanted


# --- T04, T05, T07, T11


def test_t04_other_spellings_of_a_quantity_and_defaults_are_no_drift(cluster: Cluster) -> None:
    """GitOps tools: 1000m against 1, and what the API server fills in, stand as changed for ever."""
    resources = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": "2000m"}}
    ports = [{"name": "http", "containerPort": 8080}]
    group = f"{cluster.name}-weights.example.com"
    part = {"type": "object", "properties": {"weight": {"type": "integer", "default": 1}, "to": {"type": "string"}}}
    spec = {"type": "object", "properties": {"routes": {"type": "array", "items": part}}}
    crd = o.definition(group, properties={"spec": spec})
    route = {**o.thing(group, "route"), "spec": {"routes": [{"to": "a"}, {"to": "b"}]}}
    empty = quiet_deployment("empty", resources={}, env=[], volumeMounts=[])
    addons = {
        "spelled": addon(cluster, crd, route, empty, quiet_deployment("spelled", resources=resources, ports=ports))
    }
    cluster.ok(addons)
    ns = cluster.ns("main")
    assert o.live(cluster, o.apps("deployments", ns, "spelled"))["spec"]["template"]["spec"]["containers"][0][
        "resources"
    ]["requests"] == {"cpu": "1", "memory": "1Gi"}
    assert quiet(only(cluster, addons))

    # Changed and changed back, by somebody who spells them as the server does: now they are looked at.
    for cpu in ("2", "1"):
        o.kubectl(cluster, "-n", ns, "set", "resources", "deployment/spelled", f"--requests=cpu={cpu},memory=1Gi")
    routes = f"/apis/{group}/v1/namespaces/{ns}/things/route"
    for target in ("c", "a"):
        o.inject(cluster, routes, "/spec/routes/0/to", target, "kubectl-edit")
    assert quiet(only(cluster, addons)), told(only(cluster, addons))
    cluster.ok(addons)

    o.kubectl(cluster, "-n", ns, "set", "resources", "deployment/spelled", "--requests=cpu=2,memory=1Gi")
    set_image(cluster, "deployment", "empty")
    o.inject(cluster, routes, "/spec/routes/1/to", "c", "kubectl-edit")
    found = told(only(cluster, addons))
    assert found.pop("spec.template.spec.containers[main].resources.requests.cpu") == ("1000m", "2", "kubectl-set")
    assert found.pop(IMAGE) == (o.IMAGE, OTHER, "kubectl-set")
    # A list in a custom resource without a merge key is one field.
    assert list(found) == ["spec.routes"]


@pytest.mark.alone
def test_t05_a_node_that_joins_is_no_drift_of_a_daemon_set(cluster: Cluster) -> None:
    """The status that the controller writes made the whole application stand as changed."""
    daemons = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "everywhere"},
        "spec": {k: v for k, v in o.deployment("everywhere")["spec"].items() if k != "replicas"},
    }
    path = o.apps("daemonsets", cluster.ns("main"), "everywhere")
    addons = {"everywhere": addon(cluster, daemons)}
    cluster.ok(addons)

    def nodes_served() -> int:
        return int(o.live(cluster, path)["status"]["desiredNumberScheduled"])

    before, node = nodes_served(), f"/api/v1/nodes/{cluster.name}"
    try:
        joining = nodes.manifest(cluster.name, 200)
        # Not one of the lab's own, which are counted.
        del joining["metadata"]["labels"][nodes.INDEX]  # type: ignore[index]
        cluster.client().write("POST", "/api/v1/nodes", joining)
        eventually(lambda: nodes_served() == before + 1)
        plan = only(cluster, addons)
        assert quiet(plan), told(plan)
        assert plan.action is Action.UNCHANGED
        set_image(cluster, "daemonset", "everywhere")
        assert told(only(cluster, addons)) == {IMAGE: (o.IMAGE, OTHER, "kubectl-set")}
    finally:
        o.gone(cluster, node)


def test_t07_metrics_string_data_and_claim_templates_are_no_drift(cluster: Cluster) -> None:
    """Known traps of server-side apply: metrics told twice, stringData never equal, defaults inside claim templates."""
    ns = cluster.ns("main")
    metrics = [resource_metric("memory", 70), resource_metric("cpu", 60)]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "measured"}
    autoscaler: o.Json = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "measured"},
        "spec": {"minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": target, "metrics": metrics},
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "plain"},
        "data": {"old": "b2xk"},
        "stringData": {"user": "me", "old": "new"},
    }
    sets = o.stateful_set("claims")
    sets["spec"]["replicas"] = 0
    addons = {"traps": addon(cluster, autoscaler, secret, sets, timeout=0)}
    cluster.ok(addons)
    assert quiet(only(cluster, addons))
    hpa = f"/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers/measured"
    plain = o.core("secrets", ns, "plain")
    data = o.live(cluster, plain)["data"]
    assert data == {"old": "bmV3", "user": "bWU="}

    # Changed and changed back, and one made anew by somebody without a change: all are looked at as a whole.
    live = o.live(cluster, hpa)["spec"]["metrics"]
    for value in (live[:1], live):
        o.inject(cluster, hpa, "/spec/metrics", value, "kubectl-edit")
    for word in ("eW91", "bWU="):
        o.inject(cluster, plain, "/data/user", word, "kubectl-edit")
    made_anew(cluster, o.apps("statefulsets", ns, "claims"))
    assert quiet(only(cluster, addons)), told(only(cluster, addons))
    cluster.ok(addons)
    assert only(cluster, addons).action is Action.UNCHANGED

    o.inject(cluster, hpa, "/spec/metrics", live[:1], "kubectl-edit")
    o.inject(cluster, plain, "/data/user", "eW91", "kubectl-edit")
    set_image(cluster, "statefulset", "claims")
    assert set(told(only(cluster, addons))) == {"spec.metrics", "data.user", IMAGE}


def resource_metric(name: str, share: int) -> o.Json:
    target = {"type": "Utilization", "averageUtilization": share}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def made_anew(cluster: Cluster, path: str) -> None:
    """Deleted and created as it was, our labels included: somebody restored a backup."""
    live = o.live(cluster, path)
    client = cluster.client()
    client.delete(path, propagation="Orphan")
    eventually(lambda: client.get(path) is None)
    kept = {k: v for k, v in live["metadata"].items() if k in ("name", "namespace", "labels", "annotations")}
    body = {**{k: v for k, v in live.items() if k != "status"}, "metadata": kept}
    client.write("POST", path.rsplit("/", 1)[0], body, {"fieldManager": "restore"})


def test_t11_empty_and_missing_are_the_same(cluster: Cluster) -> None:
    """``annotations: {}`` in a chart, nothing in the cluster: shown as a change at every run."""
    config = o.config_map("nothing-said")
    config["metadata"] |= {"annotations": {}, "labels": {}}
    body = quiet_deployment("nothing-said", env=[], args=[], securityContext={})
    body["metadata"]["annotations"] = {}
    body["spec"]["template"]["metadata"]["annotations"] = {}
    body["spec"]["template"]["spec"] |= {"nodeSelector": {}, "tolerations": [], "securityContext": {}, "volumes": []}
    addons = {"empty": addon(cluster, config, body)}
    cluster.ok(addons)
    assert quiet(only(cluster, addons))
    ns = cluster.ns("main")
    paths = o.core("configmaps", ns, "nothing-said"), o.apps("deployments", ns, "nothing-said")
    for path in paths:
        made_anew(cluster, path)
    assert quiet(only(cluster, addons)), told(only(cluster, addons))
    cluster.ok(addons)
    assert only(cluster, addons).action is Action.UNCHANGED

    set_image(cluster, "deployment", "nothing-said")
    cluster.patch(paths[0], {"data": {"k": "w"}})
    assert told(only(cluster, addons)) == {
        "data.k": ("v", "w", "kubectl-edit"),
        IMAGE: (o.IMAGE, OTHER, "kubectl-set"),
    }


# --- T06


MIRROR = "mirror.lab"


@pytest.fixture
def mirror(cluster: Cluster) -> Iterator[str]:
    """A policy that rewrites images, as admission controllers do; its path on the webhook server."""
    name, path = f"{cluster.name}-mirror", f"/{cluster.name}-mirror"
    ns = cluster.ns("main")
    hook = o.webhook(name, path, cluster.env, ["deployments"], ["CREATE", "UPDATE"], namespaces=[ns])
    hook["kind"] = "MutatingWebhookConfiguration"
    o.order(cluster.env, path, "mutate", mirror=MIRROR)
    probe = {**o.deployment("probe")}
    with o.there(cluster, f"{o.MUTATING}/{name}", hook):

        def works() -> bool:
            seen = cluster.client().apply(o.apps("deployments", ns, "probe"), probe, manager="test", dry_run=True)
            return str(seen["spec"]["template"]["spec"]["containers"][0]["image"]).startswith(MIRROR)

        # The API server takes a second to notice a new configuration.
        eventually(works)
        yield path


def test_t06_images_that_a_webhook_rewrites_are_no_drift(
    cluster: Cluster, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Policy engines: every image stands as changed, or the diff crashes with the webhook and nothing is told."""
    ns = cluster.ns("main")
    addons = {"rewritten": addon(cluster, quiet_deployment("rewritten"), o.config_map("beside"))}
    cluster.ok(addons)
    path = o.apps("deployments", ns, "rewritten")
    rewritten = f"{MIRROR}/{o.IMAGE}"
    assert o.live(cluster, path)["spec"]["template"]["spec"]["containers"][0]["image"] == rewritten
    assert quiet(only(cluster, addons))
    # Changed and changed back: only a dry run knows what the webhook makes of ours.
    for image in (OTHER, o.IMAGE):
        set_image(cluster, "deployment", "rewritten", image)
    assert quiet(only(cluster, addons)), told(only(cluster, addons))
    cluster.ok(addons)
    assert only(cluster, addons).action is Action.UNCHANGED

    set_image(cluster, "deployment", "rewritten")
    [found] = only(cluster, addons).drift
    assert (found.field, found.live, found.manager) == (IMAGE, f"{MIRROR}/{OTHER}", "kubectl-set")
    cluster.ok(addons, overwrite=["rewritten"])
    assert o.live(cluster, path)["spec"]["template"]["spec"]["containers"][0]["image"] == rewritten
    assert only(cluster, addons).action is Action.UNCHANGED

    # Down: it is named, and what is beside it is told all the same.
    set_image(cluster, "deployment", "rewritten")
    cluster.patch(o.core("configmaps", ns, "beside"), {"data": {"k": "w"}})
    o.order(cluster.env, mirror, "down")
    named = f"{cluster.name}-mirror.lab.slipway"
    addons["rewritten"]["objects"][0]["spec"]["replicas"] = 1
    plan = only(cluster, addons)
    assert told(plan)["data.k"] == ("v", "w", "kubectl-edit")
    assert IMAGE in told(plan)
    [unverified] = [x.unverified for x in plan.objects if x.unverified]
    assert named in unverified
    assert named in cluster.text(addons)
    monkeypatch.setattr(applying, "_WEBHOOK_GRACE", 0.5)
    report = cluster.run(addons, overwrite=["rewritten"])
    assert "SLW-4003" in report.results["rewritten"].reason
    assert named in report.results["rewritten"].reason
    o.order(cluster.env, mirror, "mutate", mirror=MIRROR)
    cluster.ok(addons, overwrite=["rewritten"])
    assert quiet(only(cluster, addons))


# --- T08


RANDOM = """
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
data:
  rolled: {{ randAlphaNum 24 | b64enc }}
{{- $known := lookup "v1" "Secret" .Release.Namespace .Release.Name }}
  kept: {{ if $known }}{{ $known.data.kept }}{{ else }}{{ randAlphaNum 24 | b64enc }}{{ end }}
  {{- $ca := genCA "ca" 10 }}
  cert: {{ $ca.Cert | b64enc }}
  key: {{ $ca.Key | b64enc }}
  plain: {{ .Values.plain | b64enc }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {roll: {{ randAlphaNum 5 | quote }}}
    spec: {containers: [{name: main, image: "registry.example/slipway/thing:1"}]}
"""


def test_t08_random_values_stay_what_they_became(cluster: Cluster, tmp_path: Path) -> None:
    """Charts that roll passwords: a database locked out by its own upgrade, pods restarted at every run."""
    ns = cluster.ns("main")
    path = o.chart(tmp_path, "rolls", {"all.yaml": RANDOM}, replicas=0, plain="text")
    addons = {"rolls": {"chart": {"path": path}, "namespace": ns, "timeout": 0, "values": {"replicas": 0}}}
    secret, roll = o.core("secrets", ns, "rolls"), o.apps("deployments", ns, "rolls")
    cluster.ok(addons)

    def made_up() -> list[Any]:
        return [o.live(cluster, secret)["data"], o.live(cluster, roll)["spec"]["template"]]

    before = made_up()
    assert quiet(only(cluster, addons))
    # A look at everything, as something of it moved.
    for replicas in (3, 0):
        o.inject(cluster, roll, "/spec/replicas", replicas, "kubectl-edit")
    o.kubectl(
        cluster, "-n", ns, "label", "secret/rolls", "helm.sh/chart-", "app.kubernetes.io/managed-by=x", "--overwrite"
    )
    o.kubectl(cluster, "-n", ns, "label", "secret/rolls", "app.kubernetes.io/managed-by=Helm", "--overwrite")
    assert quiet(only(cluster, addons)), told(only(cluster, addons))
    cluster.ok(addons)
    assert made_up() == before
    # The next version changes what is not random, and that only.
    addons["rolls"]["values"] = {"replicas": 0, "plain": "other"}
    plan = only(cluster, addons)
    assert [(x.id.kind, f.path) for x in plan.objects for f in x.fields] == [("Secret", "data.plain")]
    cluster.ok(addons)
    after = made_up()
    assert {k: v for k, v in after[0].items() if v != before[0][k]} == {"plain": "b3RoZXI="}
    assert after[1] == before[1]
    assert only(cluster, addons).action is Action.UNCHANGED

    o.inject(cluster, secret, "/data/plain", "aGFuZA==", "kubectl-edit")
    set_image(cluster, "deployment", "rolls")
    assert set(told(only(cluster, addons))) == {"data.plain", IMAGE}


# --- T09, T10, T12


def edit(cluster: Cluster, folder: Path, what: str, program: str) -> None:
    """A real ``kubectl edit``, with a Python program in the place of the editor: ``text`` in, ``text`` out."""
    editor = folder / "editor"
    editor.write_text(
        "#!/usr/bin/env python3\nimport sys\nfrom pathlib import Path\nfile = Path(sys.argv[1])\n"
        f"text = file.read_text()\n{program}\nfile.write_text(text)\n",
        encoding="utf-8",
    )
    editor.chmod(0o755)
    o.kubectl(cluster, "-n", cluster.ns("main"), "edit", what, KUBE_EDITOR=str(editor))


DEBUG = 'text = text.replace("env:\\n", "env:\\n        - name: DEBUG\\n          value: \\"1\\"\\n")'


def test_t09_what_somebody_adds_is_told_and_not_taken_away(cluster: Cluster, tmp_path: Path) -> None:
    """A variable added by kubectl edit: other tools do not see it, or take it away without a word."""
    body = quiet_deployment("extended", env=[{"name": "MODE", "value": "a"}])
    path = o.apps("deployments", cluster.ns("main"), "extended")
    addons = {"extended": addon(cluster, body)}
    cluster.ok(addons)
    # What the controllers of the cluster add is nobody's decision.
    assert "deployment.kubernetes.io/revision" in o.live(cluster, path)["metadata"]["annotations"]
    assert quiet(only(cluster, addons))

    edit(cluster, tmp_path, "deployment/extended", DEBUG)

    def variables() -> list[str]:
        return [e["name"] for e in o.live(cluster, path)["spec"]["template"]["spec"]["containers"][0]["env"]]

    assert variables() == ["DEBUG", "MODE"]
    [found] = only(cluster, addons).drift
    assert isinstance(found, Drift)
    assert found.field.startswith("spec.template.spec.containers[main].env[DEBUG]")
    assert (found.ours, found.manager, found.note, found.decision) == (None, "kubectl-edit", "added", "report")
    assert found.when
    assert cluster.plan(addons).result == "drift"
    # A change of ours goes past it.
    addons["extended"]["objects"][0]["spec"]["template"]["spec"]["containers"][0]["image"] = OTHER
    cluster.ok(addons)
    assert sorted(variables()) == ["DEBUG", "MODE"]
    assert cluster.plan(addons).result == "drift"
    cluster.ok(addons, keep=["extended"])
    assert sorted(variables()) == ["DEBUG", "MODE"]
    assert cluster.plan(addons).result == "unchanged"


def test_t09_what_somebody_added_goes_by_overwrite(cluster: Cluster, tmp_path: Path) -> None:
    body = quiet_deployment("reduced", env=[{"name": "MODE", "value": "a"}])
    path = o.apps("deployments", cluster.ns("main"), "reduced")
    addons = {"reduced": addon(cluster, body)}
    cluster.ok(addons)
    before = o.live(cluster, path)["spec"]
    edit(cluster, tmp_path, "deployment/reduced", DEBUG)
    cluster.ok(addons, overwrite=["reduced"])
    assert o.live(cluster, path)["spec"] == before
    assert only(cluster, addons).action is Action.UNCHANGED


@pytest.mark.parametrize("decision", ["report", "overwrite"])
def test_t10_a_change_that_makes_the_merged_object_invalid_is_told(cluster: Cluster, decision: str) -> None:
    """A request by hand above the chart's limit: the dry run fails, the drift is not shown, and nothing mends it."""
    name = f"limited-{decision}"
    path = o.apps("deployments", cluster.ns("main"), name)
    limit, request = (f"spec.template.spec.containers[main].resources.{x}.memory" for x in ("limits", "requests"))
    addons = {name: addon(cluster, quiet_deployment(name, resources={"limits": {"memory": "200Mi"}}))}
    cluster.ok(addons)
    before = o.live(cluster, path)["spec"]
    words = ("set", "resources", f"deployment/{name}", "--requests=memory=500Mi", "--limits=memory=1Gi")
    o.kubectl(cluster, "-n", cluster.ns("main"), *words)
    found = told(only(cluster, addons))
    assert found[limit] == ("200Mi", "1Gi", "kubectl-set")
    if decision == "report":
        # The next change of ours leaves both as they are.
        addons[name]["objects"][0]["spec"]["template"]["spec"]["containers"][0]["image"] = OTHER
        cluster.ok(addons)
        live = o.live(cluster, path)["spec"]["template"]["spec"]["containers"][0]
        assert (live["image"], live["resources"]["requests"]) == (OTHER, {"memory": "500Mi"})
        assert told(only(cluster, addons))[limit] == ("200Mi", "1Gi", "kubectl-set")
        assert told(only(cluster, addons))[request][1] == "500Mi"
    else:
        plan = only(cluster, addons, overwrite=[name])
        assert not plan.problems
        assert told(plan)[limit] == ("200Mi", "1Gi", "kubectl-set")
        cluster.ok(addons, overwrite=[name])
        assert o.live(cluster, path)["spec"] == before
        assert only(cluster, addons).action is Action.UNCHANGED


@pytest.mark.parametrize("labels", [("name",), ("addon",), ("name", "addon")], ids="+".join)
def test_t12_an_operator_that_strips_our_labels_makes_one_finding(cluster: Cluster, labels: tuple[str, ...]) -> None:
    """The tool did not find its own objects any more, and made them anew or took them for somebody else's."""
    name = f"stripped-{'-'.join(labels)}"
    path = o.core("configmaps", cluster.ns("main"), name)
    addons = {name: addon(cluster, o.config_map(name), o.config_map(f"{name}-beside"))}
    cluster.ok(addons)
    uid = o.live(cluster, path)["metadata"]["uid"]
    gone = {f"slipway.cluster/{label}": None for label in labels}
    cluster.patch(path, {"metadata": {"labels": gone}}, manager="operator")
    plan = only(cluster, addons)
    assert len(plan.drift) <= 1, told(plan)
    assert not plan.problems
    assert not {x.op for x in plan.objects} & {Op.CREATE, Op.RECREATE, Op.DELETE}
    cluster.ok(addons)
    # A change of ours goes through, and the object is still ours in every respect.
    addons[name]["objects"][0]["data"]["k"] = "w"
    cluster.ok(addons, overwrite=[name])
    live = o.live(cluster, path)
    assert live["metadata"]["uid"] == uid
    assert live["data"] == {"k": "w"}
    assert live["metadata"]["labels"]["slipway.cluster/name"] == cluster.name
    assert live["metadata"]["labels"]["slipway.cluster/addon"] == name
    assert only(cluster, addons).action is Action.UNCHANGED
    # The counter-check, and the end: it goes with its add-on.
    cluster.patch(path, {"data": {"k": "x"}, "metadata": {"labels": gone}}, manager="operator")
    assert told(only(cluster, addons))["data.k"] == ("w", "x", "operator")
    # At the end it stays, and is told: what carries no mark of ours is never deleted (T16).
    report = cluster.remove(name, addons=addons)
    assert not report.failed, report.results
    assert cluster.get(path) is not None
    assert any(name in line for line in report.kept[name])


# --- T30


def test_t30_a_custom_resource_moves_to_versions_with_a_new_default(cluster: Cluster) -> None:
    """After the next API version of a CRD: "field not declared in schema", or the resource made anew or lost."""
    group, ns = f"{cluster.name}-moves.example.com", cluster.ns("main")
    things = f"/apis/{group}/{{}}/namespaces/{ns}/things/mine"
    old = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}}}}}
    new = json.loads(json.dumps(old))
    new["properties"]["spec"]["properties"]["mode"] = {"type": "string", "default": "fast"}

    def crd(*versions: tuple[str, o.Json, bool]) -> dict[str, Any]:
        body = o.definition(group, *(name for name, _, _ in versions))
        for version, (_, schema, served) in zip(body["spec"]["versions"], versions, strict=True):
            version |= {"schema": {"openAPIV3Schema": schema}, "served": served}
        return addon(cluster, body)

    def resource(version: str, a: int = 1) -> dict[str, Any]:
        return addon(cluster, {**o.thing(group, "mine", version), "spec": {"a": a}})

    crds: dict[str, Any] = {"moves-crd": crd(("v1beta1", old, True))}
    cluster.ok({**crds, "moves": resource("v1beta1")})
    uid = o.live(cluster, things.format("v1beta1"))["metadata"]["uid"]
    both = crd(("v1beta1", old, True), ("v1beta2", new, True))
    cluster.ok({"moves-crd": both, "moves": resource("v1beta2")})
    assert o.live(cluster, things.format("v1beta2"))["spec"] == {"a": 1, "mode": "fast"}
    assert cluster.plan({"moves-crd": both, "moves": resource("v1beta2")}).result == "unchanged"

    # The old one is served no more; its name is still in the resource's managedFields.
    third = crd(("v1beta1", old, False), ("v1beta2", new, True), ("v1beta3", new, True))
    addons = {"moves-crd": third, "moves": resource("v1beta3")}
    cluster.ok(addons)
    assert cluster.plan(addons).result == "unchanged"
    # A leap: what the record names is gone in the same run in which the next version comes.
    fourth = crd(("v1beta1", old, False), ("v1beta2", new, False), ("v1beta3", new, False), ("v1", new, True))
    cluster.ok({"moves-crd": fourth, "moves": resource("v1beta3")}, only=["moves-crd"])
    addons = {"moves-crd": fourth, "moves": resource("v1", a=2)}
    plan = {p.name: p for p in cluster.plan(addons).addons}["moves"]
    assert plan.action is Action.UPGRADE
    assert [x.op for x in plan.objects if x.id.kind == "Thing"] == [Op.CHANGE]
    cluster.ok(addons)
    live = o.live(cluster, things.format("v1"))
    assert (live["metadata"]["uid"], live["spec"]) == (uid, {"a": 2, "mode": "fast"})
    assert cluster.plan(addons).result == "unchanged"

    o.inject(cluster, things.format("v1"), "/spec/a", 3, "kubectl-edit")
    plan = {p.name: p for p in cluster.plan(addons).addons}["moves"]
    assert told(plan) == {"spec.a": (2, 3, "kubectl-edit")}
    # Found when it is to go, though the version that the record names is served no more.
    fifth = crd(*((name, new, False) for name in ("v1beta1", "v1beta2", "v1beta3", "v1")), ("v2", new, True))
    cluster.ok({"moves-crd": fifth}, only=["moves-crd"])
    assert cluster.get(things.format("v2"))
    report = cluster.remove("moves")
    assert not report.failed, report.results
    assert cluster.get(things.format("v2")) is None


def test_t30_what_goes_in_the_run_that_changes_its_versions_leaves_nothing_behind(cluster: Cluster) -> None:
    """The plan found it at a version which the same run takes away: a 404 there does not mean that it is gone."""
    group, ns = f"{cluster.name}-leaves.example.com", cluster.ns("main")
    things = f"/apis/{group}/v1/namespaces/{ns}/things"

    def crd(served: bool) -> dict[str, Any]:
        body = o.definition(group, "v1beta1", "v1")
        body["spec"]["versions"][0]["served"] = served
        return addon(cluster, body)

    def one(*items: o.Json) -> dict[str, Any]:
        return addon(cluster, *items, after=["leaves-crd"])

    dropped, pruned = (o.thing(group, name, "v1beta1") for name in ("dropped", "pruned"))
    crds, note = {"leaves-crd": crd(True)}, o.config_map("leaves-note")
    cluster.ok({**crds, "leaves-some": one(dropped, note), "leaves-all": one(pruned)})
    assert {item["metadata"]["name"] for item in cluster.client().list(things)} == {"dropped", "pruned"}
    wanted = {"leaves-crd": crd(False), "leaves-some": one(note)}
    cluster.ok(wanted, prune=["leaves-all"], concurrency=1)
    assert cluster.client().list(things) == []
    assert "leaves-all" not in o.recorded(cluster)
