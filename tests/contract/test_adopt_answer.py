# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The answers to drift, once round: adopt prints what to paste, keep is remembered, rules of the manifest decide."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Level
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, AddonPlan
from ansible_collections.slipway.cluster.plugins.module_utils.report.drift import drift_dict, drift_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.status_text import status_lines
from tests.contract.fixtures import objects as o
from tests.contract.support import CHARTS, Cluster

pytestmark = pytest.mark.lab

REPLICAS = "spec.replicas"
IMAGE = "spec.template.spec.containers[portal].image"


@pytest.fixture(scope="module")
def cluster(shared: Cluster) -> Cluster:
    return shared


def chart(cluster: Cluster, **more: Any) -> dict[str, Any]:
    values = {"host": "a.example.com", **more.pop("values", {})}
    return {"chart": {"path": str(CHARTS / "portal")}, "namespace": cluster.ns("web"), "values": values, **more}


def objects(cluster: Cluster, **more: Any) -> dict[str, Any]:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"key": "ours"}}
    return {"objects": [o.config_map("conf"), secret], "namespace": cluster.ns("web"), **more}


def one(cluster: Cluster, addons: dict[str, Any], **options: Any) -> AddonPlan:
    return cluster.plan(addons, **options).addons[0]


def kubectl(cluster: Cluster, *words: str) -> None:
    o.kubectl(cluster, "-n", cluster.ns("web"), *words)


def test_adopt_finds_the_value_of_a_chart_and_pasted_in_the_drift_is_gone(cluster: Cluster) -> None:
    addons = {"web": chart(cluster)}
    cluster.ok(addons)
    kubectl(cluster, "scale", "deployment/web-portal", "--replicas=4")
    kubectl(cluster, "set", "env", "deployment/web-portal", "DEBUG=1")
    kubectl(cluster, "annotate", "deployment/web-portal", "team=red")
    plan = one(cluster, addons, adopt=["web"])
    assert {d.decision for d in plan.drift} == {"adopt"}
    assert cluster.plan(addons, adopt=["web"]).result == "drift"
    proposal = plan.proposal
    assert proposal is not None
    # Replicas have a value of their own; for the environment there is none, and a patch always does.
    assert proposal.values == {"replicas": 4}
    assert [(p["kind"], p["metadata"]["name"]) for p in proposal.patches] == [("Deployment", "web-portal")]
    text = cluster.text(addons, "plan", adopt=["web"])
    assert "adopt: write below web" in text
    assert "replicas: 4" in text

    pasted = {"web": chart(cluster, values=proposal.values, patches=list(proposal.patches))}
    assert not one(cluster, pasted).drift
    cluster.ok(pasted)
    after = cluster.plan(pasted)
    assert after.result == "unchanged"
    assert after.addons[0].action is Action.UNCHANGED
    live = o.live(cluster, o.apps("deployments", cluster.ns("web"), "web-portal"))
    assert live["spec"]["replicas"] == 4
    assert {"name": "DEBUG", "value": "1"} in live["spec"]["template"]["spec"]["containers"][0]["env"]
    # What was adopted is ours: taken out of the manifest again, it goes.
    cluster.ok(addons, overwrite=["web"])
    live = o.live(cluster, o.apps("deployments", cluster.ns("web"), "web-portal"))
    assert live["spec"]["replicas"] == 2
    assert [e["name"] for e in live["spec"]["template"]["spec"]["containers"][0]["env"]] == ["DATABASE_HOST"]


def test_adopt_of_objects_is_a_patch_and_secrets_are_not_printed(cluster: Cluster) -> None:
    addons = {"conf": objects(cluster)}
    cluster.ok(addons)
    ns = cluster.ns("web")
    cluster.patch(o.core("configmaps", ns, "conf"), {"data": {"k": "by hand", "new": "x"}})
    cluster.patch(o.core("secrets", ns, "key"), {"stringData": {"key": "hidden-by-hand"}})
    plan = one(cluster, addons, adopt=["conf"])
    assert plan.proposal is not None
    assert [p["data"] for p in plan.proposal.patches] == [{"k": "by hand", "new": "x"}]
    assert plan.proposal.untold == (f"Secret {ns}/key data.key",)
    text = cluster.text(addons, "plan", adopt=["conf"])
    assert "hidden-by-hand" not in text
    assert "aGlkZGVuLWJ5LWhhbmQ=" not in text
    pasted = {"conf": objects(cluster, patches=list(plan.proposal.patches))}
    cluster.ok(pasted, overwrite=[d.id for d in plan.drift if d.object.startswith("Secret")])
    assert cluster.plan(pasted).result == "unchanged"
    cluster.ok(addons)


def test_one_finding_is_answered_and_keep_is_remembered(cluster: Cluster) -> None:
    addons = {"web": chart(cluster)}
    cluster.ok(addons)
    kubectl(cluster, "scale", "deployment/web-portal", "--replicas=3")
    kubectl(cluster, "set", "image", "deployment/web-portal", "portal=registry.example/other:1")
    found = {d.field: d for d in one(cluster, addons).drift}
    cluster.ok(addons, keep=[found[REPLICAS].id])
    assert {d.field: d.decision for d in one(cluster, addons).drift} == {REPLICAS: "keep", IMAGE: "report"}
    cluster.ok(addons, overwrite=[found[IMAGE].id])
    assert cluster.plan(addons).result == "unchanged"
    # Still kept when the object is looked at for another reason, and when the add-on changes.
    cluster.ok({"web": chart(cluster, values={"podAnnotations": {"a": "b"}})})
    live = o.live(cluster, o.apps("deployments", cluster.ns("web"), "web-portal"))
    assert live["spec"]["replicas"] == 3
    cluster.ok(addons, overwrite=["web"])
    live = o.live(cluster, o.apps("deployments", cluster.ns("web"), "web-portal"))
    assert live["spec"]["replicas"] == 2
    # The same command once more: the finding is gone, which is a hint; what is no finding at all is an error.
    hints = cluster.plan(addons, keep=[found[REPLICAS].id]).hints
    assert [(h.code, h.level) for h in hints if h.code == "SLW-3304"] == [("SLW-3304", Level.HINT)]
    with pytest.raises(FindingsError, match="SLW-3304 slipway_keep: 'wbe'"):
        cluster.plan(addons, keep=["wbe"])


def test_rules_of_the_manifest_decide_field_by_field(cluster: Cluster) -> None:
    addons = {"web": chart(cluster)}
    cluster.ok(addons, overwrite=["web"])
    kubectl(cluster, "scale", "deployment/web-portal", "--replicas=3")
    kubectl(cluster, "set", "image", "deployment/web-portal", "portal=registry.example/other:1")
    kubectl(cluster, "label", "deployment/web-portal", "who=me")
    rules = [
        {"kind": "Deployment", "field": "spec.replicas", "answer": "keep"},
        {"field": "*.containers[*].image", "manager": "kubectl-set", "answer": "overwrite"},
    ]
    ruled = {"web": chart(cluster, drift_rules=rules)}
    decisions = {d.field: d.decision for d in one(cluster, ruled).drift}
    assert decisions == {REPLICAS: "keep", IMAGE: "overwrite", "metadata.labels.who": "report"}
    cluster.ok(ruled)
    live = o.live(cluster, o.apps("deployments", cluster.ns("web"), "web-portal"))
    assert live["spec"]["replicas"] == 3
    assert "other" not in live["spec"]["template"]["spec"]["containers"][0]["image"]
    assert live["metadata"]["labels"]["who"] == "me"
    # Without the rule it is open again: a rule is an answer only while it stands.
    assert {d.field: d.decision for d in one(cluster, addons).drift}[REPLICAS] == "report"
    cluster.ok(addons, overwrite=["web"])
    assert cluster.plan(addons).result == "unchanged"


def test_drift_on_its_own_and_in_status(cluster: Cluster) -> None:
    addons = {"web": chart(cluster), "conf": objects(cluster)}
    cluster.ok(addons, overwrite=["web", "conf"])
    quiet = cluster.engine(addons, "drift")
    assert drift_dict(quiet.plan(), quiet.masker)["result"] == "unchanged"
    ns = cluster.ns("web")
    cluster.patch(o.core("configmaps", ns, "conf"), {"data": {"k": "by hand"}})
    cluster.client().delete(o.core("secrets", ns, "key"))
    # A change in the manifest is none of drift's business.
    engine = cluster.engine({**addons, "web": chart(cluster, values={"replicas": 1})}, "drift")
    plan = engine.plan()
    text = "\n".join(drift_lines(plan, engine.masker))
    assert "2 add-ons: 1 drifted, 1 as applied" in text
    assert f"ConfigMap {ns}/conf  data.k v -> by hand  by kubectl-edit" in text
    assert f"Secret {ns}/key  was deleted" in text
    body = drift_dict(plan, engine.masker)
    assert (body["result"], [a["result"] for a in body["addons"]]) == ("drift", ["unchanged", "drift"])
    told = "\n".join(status_lines(cluster.engine(addons, "status").status()))
    assert "data.k v -> by hand  by kubectl-edit" in told
    assert f"Secret {ns}/key: is gone" in told
    cluster.ok(addons, overwrite=["conf"])
