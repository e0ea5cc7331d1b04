# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Objects that ``kubectl apply`` made: refused by name, adopted by word, and then ours to change and to leave."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, Op
from ansible_collections.slipway.cluster.plugins.module_utils.addons.takeover import LAST_APPLIED
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster, writes_in

pytestmark = pytest.mark.lab

ENV = "spec.template.spec.containers[main].env[THEIRS]"


@pytest.fixture(autouse=True)
def home(cluster: Cluster) -> None:
    o.make_namespaces(cluster, cluster.home, cluster.ns("app"))


def objects(env: dict[str, str], **data: str) -> list[o.Json]:
    deployment = o.deployment("gate")
    deployment["spec"]["replicas"] = 0
    deployment["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": k, "value": v} for k, v in env.items()]
    return [o.config_map("conf", **data), deployment]


def kubectl(cluster: Cluster, items: list[o.Json], *words: str) -> None:
    command = [cluster.env["bin"]["kubectl"], "--kubeconfig", cluster.env["kubeconfig"], "-n", cluster.ns("app")]
    subprocess.run(
        [*command, "apply", *words, "-f", "-"],
        input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}),
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize(
    ("words", "owner"), [((), "kubectl-client-side-apply"), (("--server-side",), "kubectl")], ids=["client", "server"]
)
def test_kubectl_applied_objects_are_adopted_by_word(cluster: Cluster, words: tuple[str, ...], owner: str) -> None:
    def live() -> tuple[o.Json, list[str], set[str]]:
        conf = o.live(cluster, o.core("configmaps", cluster.ns("app"), "conf"))
        gate = o.live(cluster, o.apps("deployments", cluster.ns("app"), "gate"))
        env = gate["spec"]["template"]["spec"]["containers"][0].get("env") or []
        return conf["data"], [e["name"] for e in env], set(conf["metadata"].get("annotations") or {})

    def addon(text: str, **more: Any) -> dict[str, Any]:
        return {"own": {"namespace": cluster.ns("app"), "objects": objects({"A": text}, a=text, b="1"), **more}}

    kubectl(cluster, objects({"A": "1", "THEIRS": "1"}, a="1", b="1", theirs="1"), *words)
    memory = {LAST_APPLIED} if not words else set()
    refused = cluster.run(addon("2"))
    assert refused.failed
    assert [(f.code, owner in f.message) for f in refused.plan.addons[0].problems] == [("SLW-3201", True)] * 2
    written = writes_in(cluster.env["audit_log"], f"test {cluster.name}")
    assert not [w for w in written if f"/{cluster.ns('app')}/" in w]

    # Field by field, and nothing but what somebody wrote: no defaults of the server, no memory of kubectl's.
    plan = cluster.plan(addon("2", adopt=True)).addons[0]
    assert plan.action is Action.ADOPT
    told = {(item.id.kind, c.path, c.before, c.after) for item in plan.objects for c in item.fields}
    assert told == {
        ("ConfigMap", "data.a", "1", "2"),
        ("Deployment", "spec.template.spec.containers[main].env[A].value", "1", "2"),
    }
    stays = {(d.field, d.manager, d.decision) for d in plan.drift if d.live is not None and d.ours is None}
    assert stays == {(f, owner, "report") for f in ("data.theirs", ENV)}
    assert "decide: -e slipway_overwrite=own" in cluster.text(addon("2", adopt=True))

    cluster.ok(addon("2", adopt=True))
    assert live() == ({"a": "2", "b": "1", "theirs": "1"}, ["A", "THEIRS"], memory)
    assert {d.field for d in cluster.plan(addon("2")).addons[0].drift} == {"data.theirs", ENV}
    # What we want is ours alone, so that it can be changed; what kubectl had besides goes by rule, then and later.
    cluster.ok(addon("3"))
    assert live()[0] == {"a": "3", "b": "1", "theirs": "1"}
    less = {"own": {"namespace": cluster.ns("app"), "objects": objects({"A": "3"}, a="3")}}
    cluster.ok(less)
    assert live()[0] == {"a": "3", "theirs": "1"}
    cluster.ok(addon("3"), overwrite=["own"])
    assert live() == ({"a": "3", "b": "1"}, ["A"], memory)
    assert cluster.plan(addon("3"), overwrite=["own"]).result == "unchanged"
    assert {item.op for item in cluster.plan(addon("3"), overwrite=["own"]).addons[0].objects} <= {Op.NONE, Op.SHARED}

    # They were there before: a removal leaves them, unless it is told to take them along.
    text = cluster.text({}, "remove", remove=["own"])
    assert text.count("keep  (was there before it was adopted)") == 2
    report = cluster.remove("own", kept=["own"])
    assert not report.failed, report.results
    assert cluster.get(o.core("configmaps", cluster.ns("app"), "conf")) is None


def test_overwrite_at_once(cluster: Cluster) -> None:
    kubectl(cluster, objects({"A": "1", "THEIRS": "1"}, a="1", theirs="1"))
    addon = {"own": {"namespace": cluster.ns("app"), "objects": objects({"A": "1"}, a="1"), "adopt": True}}
    plan = cluster.plan(addon, overwrite=["own"]).addons[0]
    assert {c.path for item in plan.objects for c in item.fields} == {"data.theirs", ENV}
    cluster.ok(addon, overwrite=["own"])
    assert o.live(cluster, o.core("configmaps", cluster.ns("app"), "conf"))["data"] == {"a": "1"}
    # Left to itself it stays behind.
    report = cluster.remove("own")
    assert not report.failed, report.results
    assert o.live(cluster, o.core("configmaps", cluster.ns("app"), "conf"))["data"] == {"a": "1"}
