# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever way somebody changes an object by hand: the plan says what, from what to what, who and when.

All changes are made at once, each to an object of its own in an add-on of its own; then come one plan, one run that
decides nothing, one plan and one run with ``overwrite``. The tests look at what these found and left.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, AddonPlan, Drift, Op
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster, by_name

pytestmark = pytest.mark.lab

Change = Callable[["Bench", o.Json, str], None]
IMAGE = "spec.template.spec.containers[main].image"
OURS, THEIRS = o.IMAGE, "registry.example/slipway/thing:2"
SECRET = "never-to-be-shown-7f3a"


@dataclass
class Bench:
    """Where the changes are made."""

    cluster: Cluster
    editor: Path

    @property
    def ns(self) -> str:
        return self.cluster.ns("main")

    def kubectl(self, *words: str, stdin: str = "") -> None:
        o.kubectl(self.cluster, "-n", self.ns, *words, stdin=stdin, KUBE_EDITOR=str(self.editor))


def command(*words: str) -> Change:
    """A command of kubectl about the object: ``{}`` is its kind and name."""

    def change(bench: Bench, body: o.Json, name: str) -> None:
        bench.kubectl(*(word.replace("{}", f"{body['kind'].lower()}/{name}") for word in words))

    return change


def patch(body: o.Json | list[o.Json], kind: str = "merge") -> Change:
    return command("patch", "{}", f"--type={kind}", "-p", json.dumps(body))


def replace(bench: Bench, body: o.Json, name: str) -> None:
    """Somebody who saves the live object, edits the file and puts it back."""
    live = o.live(bench.cluster, path_of(bench, body))
    live["spec"]["template"]["spec"]["containers"][0]["image"] = THEIRS
    bench.kubectl("replace", "-f", "-", stdin=json.dumps(live))


def from_file(*words: str) -> Change:
    """A file of somebody's own, with another image, by ``kubectl WORDS -f -``."""

    def change(bench: Bench, body: o.Json, name: str) -> None:
        theirs = json.loads(json.dumps(body))
        theirs["spec"]["template"]["spec"]["containers"][0]["image"] = THEIRS
        bench.kubectl(*words, "-f", "-", stdin=json.dumps(theirs))

    return change


def made_anew(bench: Bench, body: o.Json, name: str) -> None:
    bench.kubectl("delete", f"deployment/{name}")
    from_file("create")(bench, body, name)


def second_manager(bench: Bench, body: o.Json, name: str) -> None:
    bench.cluster.patch(path_of(bench, body), {"data": {"mode": "theirs"}}, manager="cost-optimizer")


def there_and_back(bench: Bench, body: o.Json, name: str) -> None:
    for image in (THEIRS, OURS):
        bench.kubectl("set", "image", f"deployment/{name}", f"main={image}")


@dataclass(frozen=True)
class Case:
    """``found``: by field what was ours and what is live. No field and no ``op``: nothing is found.
    ``manager`` is nobody where a field was removed: the API server remembers no one for it. ``unmarked``: our labels
    went too, which may be told."""

    body: o.Json
    change: Change
    found: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    manager: str = ""
    op: Op | None = None
    added: bool = False
    unmarked: bool = False


def thing(**env: str) -> o.Json:
    """A Deployment whose pods nobody needs."""
    body = o.deployment("thing")
    body["metadata"]["labels"] = {"team": "a"}
    body["metadata"]["annotations"] = {"note": "ours"}
    body["spec"]["replicas"] = 0
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": name, "value": value} for name, value in {"MODE": "ours", "LEVEL": "1", **env}.items()]
    container["resources"] = {"requests": {"cpu": "100m"}}
    return body


def service(*ports: o.Json) -> o.Json:
    spec = {"selector": {"app": "x"}, "ports": list(ports)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec}


HTTP = {"name": "http", "port": 80, "targetPort": 8080}
ROLE: o.Json = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "x"},
    "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}],
}
MORE_RULES = [*ROLE["rules"], {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
PASSWORD: o.Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"key": "ours"}}
ENV = "spec.template.spec.containers[main].env"

CASES: dict[str, Case] = {
    "edit": Case(thing(), command("edit", "{}"), {IMAGE: (OURS, THEIRS)}, "kubectl-edit"),
    "set-image": Case(thing(), command("set", "image", "{}", f"main={THEIRS}"), {IMAGE: (OURS, THEIRS)}, "kubectl-set"),
    "scale": Case(thing(), command("scale", "{}", "--replicas=1"), {"spec.replicas": (0, 1)}, "kubectl"),
    "label": Case(
        thing(), command("label", "{}", "team=b", "--overwrite"), {"metadata.labels.team": ("a", "b")}, "kubectl-label"
    ),
    "annotate": Case(
        thing(),
        command("annotate", "{}", "note=theirs", "--overwrite"),
        {"metadata.annotations.note": ("ours", "theirs")},
        "kubectl-annotate",
    ),
    "take-annotation": Case(thing(), command("annotate", "{}", "note-"), {"metadata.annotations.note": ("ours", None)}),
    "replace": Case(thing(), replace, {IMAGE: (OURS, THEIRS)}, "kubectl-replace"),
    "client-side-apply": Case(thing(), from_file("apply"), {IMAGE: (OURS, THEIRS)}, "kubectl-client-side-apply"),
    "forced-apply": Case(
        thing(),
        from_file("apply", "--server-side", "--force-conflicts", "--field-manager=other-tool"),
        {IMAGE: (OURS, THEIRS)},
        "other-tool",
    ),
    "second-manager": Case(
        o.config_map("x", mode="ours"), second_manager, {"data.mode": ("ours", "theirs")}, "cost-optimizer"
    ),
    "set-env": Case(
        thing(), command("set", "env", "{}", "MODE=theirs"), {f"{ENV}[MODE].value": ("ours", "theirs")}, "kubectl-set"
    ),
    "set-resources": Case(
        thing(),
        command("set", "resources", "{}", "--requests=cpu=200m"),
        {"spec.template.spec.containers[main].resources.requests.cpu": ("100m", "200m")},
        "kubectl-set",
    ),
    "patch-removes": Case(
        thing(),
        patch([{"op": "remove", "path": "/spec/template/spec/containers/0/env/1"}], "json"),
        {f"{ENV}[LEVEL]": ({"name": "LEVEL", "value": "1"}, None)},
    ),
    "patch-config": Case(
        o.config_map("x", one="1", two="2", three="3"),
        patch({"data": {"one": "9", "two": None}}),
        {"data.one": ("1", "9"), "data.two": ("2", None)},
        "kubectl-patch",
    ),
    "patch-port": Case(
        service(HTTP),
        patch([{"op": "replace", "path": "/spec/ports/0/port", "value": 81}], "json"),
        {"spec.ports[80,TCP]": (HTTP, None), "spec.ports[81,TCP]": (None, {**HTTP, "port": 81, "protocol": "TCP"})},
        "kubectl-patch",
    ),
    "patch-second-port": Case(
        service({"name": "metrics", "port": 9090}, HTTP),
        patch([{"op": "replace", "path": "/spec/ports/1/port", "value": 81}], "json"),
        {"spec.ports[80,TCP]": (HTTP, None), "spec.ports[81,TCP]": (None, {**HTTP, "port": 81, "protocol": "TCP"})},
        "kubectl-patch",
    ),
    "patch-rules": Case(ROLE, patch({"rules": MORE_RULES}), {"rules": (ROLE["rules"], MORE_RULES)}, "kubectl-patch"),
    "patch-secret": Case(
        PASSWORD, patch({"stringData": {"key": SECRET}}), {"data.key": ("b3Vycw==", "…")}, "kubectl-patch"
    ),
    "delete": Case(o.config_map("x"), command("delete", "{}"), op=Op.CREATE),
    "delete-and-create": Case(thing(), made_anew, {IMAGE: (OURS, THEIRS)}, "kubectl-create", unmarked=True),
    "add-env": Case(
        thing(),
        command("set", "env", "{}", "DEBUG=1"),
        {f"{ENV}[DEBUG]": (None, {"name": "DEBUG", "value": "1"})},
        "kubectl-set",
        added=True,
    ),
    "add-label": Case(
        thing(),
        command("label", "{}", "seen=yes"),
        {"metadata.labels.seen": (None, "yes")},
        "kubectl-label",
        added=True,
    ),
    "add-key": Case(
        o.config_map("x"), patch({"data": {"more": "yes"}}), {"data.more": (None, "yes")}, "kubectl-patch", added=True
    ),
    "add-restart": Case(
        thing(),
        command("rollout", "restart", "{}"),
        {"spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]": (None, "…")},
        "kubectl-rollout",
        added=True,
    ),
    "add-pause": Case(
        thing(), command("rollout", "pause", "{}"), {"spec.paused": (None, True)}, "kubectl-rollout", added=True
    ),
    "nothing": Case(thing(), lambda *words: None),
    "same-value": Case(thing(), command("label", "{}", "team=a", "--overwrite")),
    "there-and-back": Case(thing(), there_and_back),
}
CHANGED = [name for name, case in CASES.items() if case.found and not case.added]
ADDED = [name for name, case in CASES.items() if case.added]
QUIET = [name for name, case in CASES.items() if not case.found and case.op is None]
PLURALS = {"Deployment": "deployments", "ConfigMap": "configmaps", "Service": "services", "Secret": "secrets"}


def path_of(bench: Bench, body: o.Json) -> str:
    kind, name = body["kind"], body["metadata"]["name"]
    if kind == "Role":
        return f"/apis/{body['apiVersion']}/namespaces/{bench.ns}/roles/{name}"
    return (o.apps if kind == "Deployment" else o.core)(PLURALS[kind], bench.ns, name)


def comparable(live: o.Json | None) -> o.Json | None:
    """An object without what only the server and its controllers write."""
    if live is None:
        return None
    meta = {k: v for k, v in live["metadata"].items() if k in ("name", "namespace", "labels", "annotations")}
    own = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")
    notes = {k: v for k, v in (meta.pop("annotations", None) or {}).items() if k not in own}
    rest = {k: v for k, v in live.items() if k not in ("metadata", "status")}
    return {**rest, "metadata": meta, "notes": notes}


@dataclass(repr=False)
class Story:
    """What was seen on the way: by case the object, the plan, and the times of the change."""

    ns: str
    before: dict[str, o.Json | None] = field(default_factory=dict)
    times: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    changed: dict[str, o.Json | None] = field(default_factory=dict)
    plan: dict[str, AddonPlan] = field(default_factory=dict)
    text: str = ""
    reported: dict[str, o.Json | None] = field(default_factory=dict)
    again: dict[str, AddonPlan] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    after: dict[str, o.Json | None] = field(default_factory=dict)
    settled: dict[str, AddonPlan] = field(default_factory=dict)


@pytest.fixture(scope="module")
def story(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Story:
    editor = tmp_path_factory.mktemp("editor") / "editor"
    editor.write_text(f'#!/bin/sh\nexec sed -i "s|{OURS}|{THEIRS}|" "$1"\n', encoding="utf-8")
    editor.chmod(0o755)
    bench = Bench(shared, editor)
    o.make_namespaces(shared, bench.ns)
    bodies = {name: yaml.safe_load(json.dumps(case.body)) for name, case in CASES.items()}
    for name, body in bodies.items():
        body["metadata"]["name"] = name
    addons = {name: {"namespace": bench.ns, "objects": [body], "timeout": 20} for name, body in bodies.items()}

    def seen() -> dict[str, o.Json | None]:
        return {name: comparable(shared.get(path_of(bench, body))) for name, body in bodies.items()}

    told = Story(bench.ns)
    shared.ok(addons, concurrency=8)
    told.before = seen()
    for name, case in CASES.items():
        began = datetime.now(UTC)
        case.change(bench, bodies[name], name)
        told.times[name] = began, datetime.now(UTC)
    told.changed = seen()
    told.plan, told.text = by_name(shared.plan(addons)), shared.text(addons)
    shared.run(addons, concurrency=8)
    told.reported, told.again = seen(), by_name(shared.plan(addons))
    report = shared.run(addons, concurrency=8, overwrite=list(addons))
    told.failures = {name: result.reason for name, result in report.results.items() if result.reason}
    told.after, told.settled = seen(), by_name(shared.plan(addons))
    return told


def findings(plan: AddonPlan) -> list[Drift]:
    marks = ("metadata.labels[slipway.cluster/name]", "metadata.labels[slipway.cluster/addon]")
    unmarked = plan.name in CASES and CASES[plan.name].unmarked
    return [d for d in plan.drift if not (unmarked and d.field in marks)]


def told_fields(plan: AddonPlan) -> dict[str, tuple[Any, Any]]:
    return {d.field: (d.ours, d.live) for d in findings(plan)}


def same(found: dict[str, tuple[Any, Any]], wanted: dict[str, tuple[Any, Any]]) -> bool:
    """``…`` stands for a value that the test does not know beforehand."""
    return found.keys() == wanted.keys() and all(
        a == b or b == "…" for field in wanted for a, b in zip(found[field], wanted[field], strict=True)
    )


@pytest.mark.parametrize("name", [*CHANGED, *ADDED])
def test_a_change_is_found_with_object_field_values_manager_and_time(story: Story, name: str) -> None:
    case, plan = CASES[name], story.plan[name]
    assert story.changed[name] != story.before[name], "the change itself did not work"
    assert same(told_fields(plan), case.found), told_fields(plan)
    began, ended = story.times[name]
    for drift in findings(plan):
        assert drift.object == f"{case.body['kind']} {story.ns}/{name}"
        assert drift.decision == "report"
        # Nobody holds a field that is gone.
        assert drift.manager == ("" if drift.live is None else case.manager)
        # The server notes no time for a write to the scale subresource.
        if drift.manager and name != "scale":
            when = datetime.fromisoformat(drift.when)
            assert began - timedelta(seconds=1) <= when <= ended + timedelta(seconds=1)
        if drift.ours is None:
            assert drift.note == "added"
        if name == "scale":
            assert drift.note == "through the scale subresource"
        assert f"{drift.object}  {drift.field}" in story.text
        assert drift.manager in story.text


@pytest.mark.parametrize("name", QUIET)
def test_what_has_the_same_value_is_no_finding(story: Story, name: str) -> None:
    assert not story.plan[name].drift
    assert story.plan[name].action in (Action.UNCHANGED, Action.REFRESH)


def test_a_deleted_object_is_made_again_without_a_decision(story: Story) -> None:
    plan = story.plan["delete"]
    assert story.changed["delete"] is None
    assert plan.action is Action.REPAIR
    assert [(str(x.id), x.op, x.note) for x in plan.objects if x.op is not Op.SHARED] == [
        (f"ConfigMap {story.ns}/delete", Op.CREATE, "was deleted")
    ]
    assert story.reported["delete"] == story.before["delete"]


@pytest.mark.parametrize("name", [*CHANGED, *ADDED])
def test_without_a_decision_nothing_is_touched_and_all_is_told_again(story: Story, name: str) -> None:
    assert story.reported[name] == story.changed[name]
    assert same(told_fields(story.again[name]), CASES[name].found), told_fields(story.again[name])


@pytest.mark.parametrize("name", CASES)
def test_after_overwrite_the_object_is_what_we_applied(story: Story, name: str) -> None:
    assert name not in story.failures, story.failures[name]
    assert story.after[name] == story.before[name]
    assert not told_fields(story.settled[name])
    assert story.settled[name].action is Action.UNCHANGED


def test_no_secret_value_is_shown(story: Story) -> None:
    assert "patch-secret" in story.text
    for word in (SECRET, "b3Vycw=="):
        assert word not in story.text
