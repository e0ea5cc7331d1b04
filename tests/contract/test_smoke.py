# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Smoke checks: that a capability works is tried where it was changed, and on demand; nothing of it stays."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError, LockError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from ansible_collections.slipway.cluster.plugins.module_utils.addons.smoke.operation import SmokeReport, SmokeRun
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.report.smoke_text import smoke_lines
from tests.contract.runner import Child, Job, Playbook
from tests.contract.support import Cluster, by_name, writes_in

pytestmark = pytest.mark.lab

SPACES = "/api/v1/namespaces"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"k": "v"}}


def claim(**labels: str) -> dict[str, Any]:
    """The lab binds claims of any class that is named."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "labels": labels},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "any",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }


def pod(**labels: str) -> dict[str, Any]:
    containers = [{"name": "main", "image": "example.org/writer:1"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "writer", "labels": labels},
        "spec": {"restartPolicy": "Never", "containers": containers},
    }


BOUND = {"kind": "PersistentVolumeClaim", "path": "status.phase", "equals": "Bound"}


def addon(cluster: Cluster, name: str, objects: list[Any], ready: list[Any], **more: Any) -> dict[str, Any]:
    """An add-on of one ConfigMap that provides ``cap-<name>`` and has one check."""
    check = {"timeout": 2, **more.pop("check", {})}
    check.update({key: value for key, value in (("objects", objects), ("ready", ready)) if value})
    return {
        name: {
            "namespace": cluster.ns("a"),
            "objects": [config_map(name)],
            "provides": [f"cap-{name}"],
            "smoke": {f"cap-{name}": check},
            **more,
        }
    }


def scratches(cluster: Cluster) -> list[dict[str, Any]]:
    """Namespaces of this cluster's checks that are not on their way out."""
    items = cluster.client().list(SPACES, {"labelSelector": f"slipway.cluster/smoke={cluster.name}"})
    return [item for item in items if not item["metadata"].get("deletionTimestamp")]


def smoke(cluster: Cluster, addons: dict[str, Any], **options: Any) -> SmokeReport:
    """One run of the playbook ``smoke``."""
    engine = cluster.engine(addons, "smoke", **options)
    return SmokeRun(cluster.client(), engine._manifest, engine._settings).run()


def failure(cluster: Cluster, addons: dict[str, Any], name: str) -> str:
    report = cluster.run(addons)
    assert report.results[name].outcome.value == "failed", report.results
    assert not scratches(cluster)
    return report.results[name].reason


def test_what_works_passes_and_leaves_nothing(shared: Cluster) -> None:
    events: list[Event] = []
    addons = addon(shared, "good", [claim(), pod()], [BOUND, {"kind": "ConfigMap", "name": "good", "exists": True}])
    plan = by_name(shared.plan(addons))["good"]
    assert [check.capability for check in plan.checks] == ["cap-good"]
    assert "    smoke: cap-good" in shared.text(addons)
    shared.ok(addons, emit=events.append)
    assert [event.detail for event in events if event.state == "smoke"] == ["cap-good"]
    assert not scratches(shared)
    made = [line for line in writes_in(shared.env["audit_log"], shared.name) if "slipway-smoke" in line]
    assert [line.split()[0] for line in made] == ["patch", "patch", "patch", "delete"]
    events.clear()
    shared.ok(addons, emit=events.append)
    assert not events, "what has not changed is not tried"
    assert not by_name(shared.plan(addons))["good"].checks


def test_what_does_not_work_fails_the_add_on_with_reasons(shared: Cluster) -> None:
    """Its objects stay, what needs it is skipped, and the next run tries it again though nothing has changed."""
    broken = addon(shared, "broken", [claim(**{"lab.slipway/fault": "never-bound"})], [BOUND])
    user = {"user": {"namespace": shared.ns("a"), "requires": ["cap-broken"], "objects": [config_map("user")]}}
    report = shared.run({**broken, **user})
    reason = report.results["broken"].reason
    assert "SLW-4701 smoke check cap-broken of add-on broken did not pass within 2 s:" in reason
    assert "PersistentVolumeClaim slipway-smoke-" in reason
    assert "waits for" in reason or "storage class any" in reason
    assert "status.phase is Pending, Bound is expected" in reason
    assert report.results["user"].outcome.value == "skipped"
    assert shared.get(f"{SPACES}/{shared.ns('a')}/configmaps/broken") is not None
    assert not scratches(shared)
    assert "SLW-4701" in failure(shared, broken, "broken")
    mended = addon(shared, "broken", [claim()], [BOUND])
    shared.ok({**mended, **user})
    assert by_name(shared.plan({**mended, **user}))["broken"].action is Action.UNCHANGED


def test_a_fault_is_not_waited_out(shared: Cluster) -> None:
    bad = addon(shared, "fault", [pod(**{"lab.slipway/fault": "image-pull-error"})], [], check={"timeout": 120})
    reason = failure(shared, bad, "fault")
    assert "smoke check cap-fault of add-on fault failed:" in reason
    assert "ImagePullBackOff" in reason


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"kind": "ConfigMap", "name": "none", "exists": True}, "is not there"),
        ({"kind": "ConfigMap", "name": "look", "exists": False}, "look: is there"),
        ({"kind": "ConfigMap", "name": "look", "path": "data.k", "equals": "w"}, "data.k is v, w is expected"),
        ({"kind": "ConfigMap", "name": "look", "path": "data.x", "exists": True}, "data.x is not set"),
        ({"kind": "CronJob", "exists": True}, "CronJob: there is none"),
        ({"kind": "Wombat", "group": "example.org", "exists": True}, "Wombat: nobody serves this kind"),
        ({"kind": "Node", "name": "node-1", "type": "Ready", "status": "False"}, "Node node-1: Ready is True"),
        ({"kind": "Event", "exists": True}, "served by several groups, give one: (core), events.k8s.io"),
    ],
)
def test_what_is_not_as_expected_is_said(shared: Cluster, wish: dict[str, Any], told: str) -> None:
    """Without temporary objects nothing is made: the objects of the add-on and of the cluster are looked at."""
    addons = addon(shared, "look", [], [wish], check={"timeout": 0})
    shared.ok(addons, smoke=False)
    (check,) = smoke(shared, addons).checks
    assert check.outcome == "failed"
    assert told in check.reason


def test_what_is_as_expected_passes(shared: Cluster) -> None:
    """The counter-check of the one above."""
    ready = [
        {"kind": "ConfigMap", "name": "look", "exists": True},
        {"kind": "ConfigMap", "name": "none", "exists": False},
        {"kind": "ConfigMap", "name": "look", "path": "data.k", "equals": "v"},
        {"kind": "ConfigMap", "name": "look", "path": "metadata.labels['slipway.cluster/addon']", "equals": "look"},
        {"kind": "ConfigMap", "path": "data.k", "equals": "v"},
        {"kind": "Wombat", "group": "example.org", "exists": False},
        {"kind": "Node", "type": "Ready"},
        {"kind": "Namespace", "name": "kube-system", "path": "status.phase", "equals": "Active"},
        {"kind": "ConfigMap", "namespace": "kube-system", "name": "extension-apiserver-authentication", "exists": True},
    ]
    addons = addon(shared, "look", [], ready, check={"timeout": 0})
    shared.ok(addons, smoke=False)
    (check,) = smoke(shared, addons).checks
    assert (check.outcome, check.reason) == ("passed", "")


def test_a_custom_resource_passes_when_its_operator_says_so(shared: Cluster) -> None:
    group = f"{shared.name}.example.org"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"permits.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Permit", "plural": "permits", "singular": "permit"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    },
                }
            ],
        },
    }
    permit = {"apiVersion": f"{group}/v1", "kind": "Permit", "metadata": {"name": "one"}}
    addons = addon(shared, "permits", [permit], [{"kind": "Permit", "type": "Ready"}], check={"timeout": 30})
    addons["permits"]["objects"] = [definition]
    seen: list[str] = []

    def operator(event: Event) -> None:
        """Plays the operator once the check has been seen waiting for it."""
        if event.state == "waiting" and "Ready is not set" in event.detail.replace("condition ", "") and not seen:
            seen.append(event.detail)
            threading.Thread(target=say, daemon=True).start()

    def say() -> None:
        client = shared.client()
        (item,) = client.list(f"/apis/{group}/v1/permits")
        path = f"/apis/{group}/v1/namespaces/{item['metadata']['namespace']}/permits/one/status"
        body = {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Done", "message": ""}]}}
        client.write("PATCH", path, body, {"fieldManager": "operator"}, "application/merge-patch+json")

    shared.ok(addons, emit=operator)
    assert seen


def test_what_cannot_be_made_is_said(shared: Cluster) -> None:
    whole = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "one"}}
    reason = failure(shared, addon(shared, "wide", [whole], []), "wide")
    assert "SLW-4702 smoke check cap-wide of add-on wide could not be made" in reason
    assert "would be there for the whole cluster" in reason
    wrong = claim()
    wrong["spec"]["accessModes"] = ["Sometimes"]
    reason = failure(shared, addon(shared, "wide", [wrong], []), "wide")
    assert "SLW-4702" in reason
    assert "PersistentVolumeClaim data was refused" in reason
    assert "smoke: {cap-wide: {enabled: false}}" in reason
    shared.ok(addon(shared, "wide", [wrong], [], check={"enabled": False}))


def test_a_killed_check_is_cleaned_up_by_the_next_run(shared: Cluster) -> None:
    slow = addon(shared, "slow", [claim(**{"lab.slipway/fault": "never-bound"})], [], check={"timeout": 300})
    child = Child(Job(shared.env, str(shared.cache), shared.name, slow, options={"lock_duration": 2.0}))
    child.saw("waiting")
    with pytest.raises(LockError, match="SLW-6001"):
        # It would take the other run's check for a leftover.
        smoke(shared, addon(shared, "good", [claim()], []))
    child.kill()
    (left,) = scratches(shared)
    events: list[Event] = []
    shared.ok(addon(shared, "slow", [], [{"kind": "ConfigMap", "name": "slow", "exists": True}]),
              emit=events.append, lock_wait=20.0)  # fmt: skip
    assert [e.detail for e in events if e.state == "cleaned"] == [
        f"namespace {left['metadata']['name']} of a smoke check that was cut off"
    ]
    assert not scratches(shared)


def test_on_demand_tries_all_that_is_installed_and_changes_nothing_else(shared: Cluster) -> None:
    good = addon(shared, "good", [claim(), pod()], [BOUND])
    bad = addon(shared, "bad", [], [{"kind": "ConfigMap", "name": "none", "exists": True}], check={"timeout": 0})
    new = addon(shared, "new", [claim()], [BOUND])
    shared.ok({**good, **bad}, smoke=False)
    for owner in (shared.name, f"{shared.name}-other"):
        meta = {"name": shared.ns(f"left-by-{owner}"), "labels": {"slipway.cluster/smoke": owner}}
        shared.apply(f"{SPACES}/{meta['name']}", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    before = len(writes_in(shared.env["audit_log"], shared.name))
    report = smoke(shared, {**good, **bad, **new})
    found = {(check.addon, check.outcome) for check in report.checks}
    assert found == {("good", "passed"), ("bad", "failed"), ("new", "absent")}
    assert report.result == "error"
    written = writes_in(shared.env["audit_log"], shared.name)[before:]
    others = [line for line in written if "/leases" not in line and "/slipway-smoke-" not in line]
    assert others == [f"delete {SPACES}/{shared.ns(f'left-by-{shared.name}')}"]
    lines = smoke_lines(report)
    assert lines[0].startswith(f"SMOKE {shared.name}  cluster ")
    assert "3 checks: 1 passed, 1 failed, 1 not installed" in lines[0]
    assert [line[:1] for line in lines if line[:1] != " "][1:] == ["!", "=", "?"]
    assert [check.addon for check in smoke(shared, {**good, **bad}, only=("good",)).checks] == ["good"]
    assert not scratches(shared)


def test_the_labs_catalog_passes(shared: Cluster) -> None:
    """A claim without a class, on the default class that the add-on makes."""
    addons = {"storage": {"namespace": shared.ns("a")}}
    events: list[Event] = []
    shared.ok(addons, emit=events.append)
    assert [event.detail for event in events if event.state == "smoke"] == ["default-storage-class"]
    shared.remove("storage", addons=addons)


def test_wrong_checks_are_found_before_anything_is_touched(shared: Cluster) -> None:
    wrong = addon(shared, "one", [], [{"kind": "ConfigMap", "equals": 1}], provides=["other"])
    wrong |= addon(shared, "two", [], [{"kind": "ConfigMap", "name": "x"}])
    wrong |= addon(shared, "three", [{"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "x"}}], [])
    wrong |= addon(shared, "four", [], [])
    with pytest.raises(FindingsError) as caught:
        shared.plan(wrong)
    assert [finding.code for finding in caught.value.findings] == ["SLW-1421", *["SLW-1422"] * 4]
    assert all(finding.position.line for finding in caught.value.findings)


def test_through_the_playbook(shared: Cluster, tmp_path: Path) -> None:
    wish = {"kind": "ConfigMap", "name": "good", "exists": True}
    good = addon(shared, "good", [], [wish])
    bad = addon(shared, "bad", [], [{**wish, "exists": False}], check={"timeout": 0})
    shared.ok({**good, **bad}, smoke=False)
    report = tmp_path / "report.json"
    book = Playbook(shared, tmp_path / "inventory", {**good, **bad}, extra={"slipway_report_file": str(report)})
    done = subprocess.run(book.command("smoke"), env=book.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "= good                 cap-good                 passed" in done.stdout
    assert "! bad                  cap-bad                  failed" in done.stdout
    assert "changed=0" in done.stdout
    told = json.loads(report.read_text(encoding="utf-8"))
    assert (told["result"], [check["outcome"] for check in told["checks"]]) == ("error", ["failed", "passed"])
