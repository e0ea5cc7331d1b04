# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Outputs on a real API server: values that come with one add-on reach the next one in the same run."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Report
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.noting import note
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import CONFIG_MAP, SECRET
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_json import plan_dict, report_dict
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_text import plan_lines
from tests.contract.conftest import _clean
from tests.contract.fixtures import objects as o
from tests.contract.support import CHARTS, Cluster, by_name
from tests.contract.test_playbooks import CORES, ansible
from tests.contract.test_secrets import found_in

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def shared(lab_env: dict[str, Any], cache: Path) -> Iterator[Cluster]:
    """One namespace for all of these tests: emptying one takes seconds."""
    one = Cluster(lab_env, cache)
    o.make_namespaces(one, f"{one.name}-all")
    yield one
    _clean(one)


@pytest.fixture
def cluster(shared: Cluster, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A ``slipway_name`` of its own, whose add-ons live in the shared namespace."""
    names = sorted(item.name for item in request.session.items)
    one = replace(shared, name=f"{shared.name}-{names.index(request.node.name):02d}")
    yield one
    _clean(one)


def space(cluster: Cluster) -> str:
    return f"{cluster.name.rsplit('-', 1)[0]}-all"


def config_map(name: str, **data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def addon(cluster: Cluster, *objects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"namespace": space(cluster), "timeout": 30, "objects": list(objects), **more}


def live(cluster: Cluster, name: str) -> dict[str, Any] | None:
    """The data of a ConfigMap."""
    found = cluster.get(CONFIG_MAP.path(space(cluster), name))
    return None if found is None else found["data"]


def told(cluster: Cluster, addons: dict[str, Any], **options: Any) -> tuple[Report, list[Event], str]:
    """A run, its events, and everything that it said: plan, events, reports and records."""
    events: list[Event] = []
    hear = options.pop("emit", lambda event: None)
    engine = cluster.engine(addons, emit=lambda event: (events.append(event), hear(event)), **options)
    plan = engine.plan()
    said = [*plan_lines(plan, engine.masker, verbose=True), json.dumps(plan_dict(plan, engine.masker))]
    report = engine.execute(plan)
    said += [json.dumps(report_dict(report, engine.masker)), *(str(event) for event in events)]
    records = cluster.client().list(CONFIG_MAP.collection(cluster.home))
    return report, events, "\n".join([*said, json.dumps(records)])


def failed(report: Report) -> dict[str, str]:
    return {name: f"{r.outcome.value}: {r.reason}" for name, r in report.results.items() if not r.done}


def platform(cluster: Cluster, password: str = "") -> dict[str, Any]:
    """Two charts of the lab's catalog with an output each, a chart and an add-on with objects that use them."""
    where = {"namespace": space(cluster), "timeout": 60}
    secret = f"{cluster.name}-database"
    return {
        "base": addon(cluster, config_map("base", k="v"), provides=["tls-issuer", "default-storage-class"]),
        "front": {
            "use": "gateway",
            **where,
            "release": f"{cluster.name}-front",
            "integrations": {"tls-issuer": False},
            "values": {"ingressClass": {"name": cluster.name, "default": False}},
        },
        "database": {
            **where,
            "release": secret,
            "values": {"persistence": {"storageClass": "any"}, **({"password": password} if password else {})},
        },
        "portal": {
            "chart": {"path": str(CHARTS / "portal")},
            "use": "portal",
            **where,
            "integrations": {"tls-issuer": False},
            "values": {
                "host": "portal.{{ slipway_values.zone }}",
                "database": {"existingSecret": secret},
                "replicas": 1,
            },
        },
        "settings": addon(
            cluster,
            config_map(
                "settings",
                url="db://app:{{ slipway_outputs.database.password }}@h",
                front="{{ slipway_outputs.front.address }}",
            ),
        ),
    }


# The smoke checks of the lab's catalog know its add-ons by other names.
GIVEN: dict[str, Any] = {"values": {"zone": "{{ slipway_outputs.gateway.address }}.nip.io"}, "smoke": False}


def test_values_that_come_with_one_add_on_reach_the_next_in_the_same_run(cluster: Cluster) -> None:
    addons = platform(cluster)
    before = cluster.text(addons, **GIVEN)
    assert "? values host  known after front  (slipway_outputs.front.address)" in before
    assert "? values gateway.address  known after front  (slipway_outputs.front.address)" in before
    assert "? objects[0].data.url  known after database  (slipway_outputs.database.password)" in before
    assert f"? Ingress {space(cluster)}/portal  unverified: known after front" in before
    engine = cluster.engine(addons, **GIVEN)
    found = {a["name"]: a for a in plan_dict(engine.plan(), engine.masker)["addons"]}
    assert {late["path"]: late["after"] for late in found["portal"]["late"]} == {
        "values gateway.address": ["front"],
        "values host": ["front"],
    }

    report, events, said = told(cluster, addons, **GIVEN)
    assert not failed(report)
    service = cluster.get(f"/api/v1/namespaces/{space(cluster)}/services/{cluster.name}-front-gateway")
    address = service["status"]["loadBalancer"]["ingress"][0]["ip"]
    ingress = cluster.get(f"/apis/networking.k8s.io/v1/namespaces/{space(cluster)}/ingresses/portal")
    assert ingress["spec"]["rules"][0]["host"] == f"portal.{address}.nip.io"
    assert f"gateway: {address}\n" in live(cluster, "portal")["portal.yml"]
    secret = cluster.get(SECRET.path(space(cluster), f"{cluster.name}-database"))
    password = base64.b64decode(secret["data"]["password"]).decode()
    assert live(cluster, "settings") == {"url": f"db://app:{password}@h", "front": address}
    assert not found_in(said, [password])
    order = [(event.addon, event.state) for event in events]
    assert order.index(("front", "ready")) < order.index(("portal", "planned"))
    planned = next(event.detail for event in events if (event.addon, event.state) == ("portal", "planned"))
    assert f"host is portal.{address}.nip.io" in planned

    # Again: known at once, nothing to do, and two objects are asked for, with what names their kinds.
    found_there = cluster.engine(addons, "status", **GIVEN).status()
    assert found_there.result == "unchanged"
    assert all(one.healthy for one in found_there.addons)
    client = cluster.client()
    plan = cluster.engine(addons, client=client, **GIVEN).plan()
    assert {p.action for p in plan.addons} == {Action.UNCHANGED}
    assert not any(p.again for p in plan.addons)
    assert plan.helm_processes == 0
    discovery, objects = 2, 2
    assert client.requests - plan.requests == discovery + objects

    # The providers change: only whose value changed follows, and the others are found as they are.
    other = "another-password-5T-Yak"
    addons = platform(cluster, "{{ lookup('password') }}")
    addons["front"]["values"]["service"] = {"annotations": {"a": "b"}}
    given = {**GIVEN, "lookups": {"password": other}}
    text = cluster.text(addons, **given)
    assert "? portal               looked at again after front (slipway_outputs.front.address)" in text
    assert "2 change, 2 to look at again, 1 unchanged" in text
    report, events, said = told(cluster, addons, **given)
    assert not failed(report)
    assert live(cluster, "settings")["url"] == f"db://app:{other}@h"
    done = {p.name: p.action for p in report.plan.addons}
    assert done == {
        "base": Action.UNCHANGED, "front": Action.UPGRADE, "database": Action.UPGRADE,
        "portal": Action.UNCHANGED, "settings": Action.UPGRADE,
    }  # fmt: skip
    assert ("portal", "unchanged") in [(event.addon, event.state) for event in events]
    assert not found_in(said, [password, other])


def maker(cluster: Cluster, *objects: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An add-on whose outputs stand in a ConfigMap, which somebody else may have to write."""
    outputs = {
        "text": {"kind": "ConfigMap", "name": f"{cluster.name}-made", "path": "data.text"},
        "count": {"kind": "ConfigMap", "name": f"{cluster.name}-made", "path": "data.count", "type": "integer"},
    }
    return addon(cluster, *(objects or [config_map(f"{cluster.name}-maker", k="v")]), outputs=outputs, **more)


def make(cluster: Cluster, **data: str) -> None:
    """What an operator writes when it is ready."""
    body = {**config_map(f"{cluster.name}-made", **data)}
    cluster.apply(CONFIG_MAP.path(space(cluster), body["metadata"]["name"]), body, manager="operator")


def test_a_missing_output_fails_its_user_alone_and_the_same_command_goes_on(cluster: Cluster) -> None:
    user, last = f"{cluster.name}-user", f"{cluster.name}-last"
    addons = {
        "maker": maker(cluster, timeout=0),
        "user": addon(cluster, config_map(user, k="{{ slipway_outputs.maker.text }}"), timeout=5),
        "last": addon(cluster, config_map(last, k="v"), requires=["user"]),
        "free": addon(cluster, config_map(f"{cluster.name}-free", k="v")),
    }
    report, events, _said = told(cluster, addons)
    why = f"add-on user needs slipway_outputs.maker.text: there is no ConfigMap {space(cluster)}/{cluster.name}-made"
    assert failed(report)["user"].startswith(f"failed: SLW-4501 {why} (see that maker makes it")
    assert failed(report)["last"] == "skipped: needs user"
    assert set(failed(report)) == {"user", "last"}
    assert ("user", "failed") in [(event.addon, event.state) for event in events]
    assert live(cluster, user) is None

    # The maker is as it should be, and nothing of another run would bring the value: that is told before.
    plan = cluster.plan(addons)
    assert {p.name: p.action for p in plan.addons}["user"] is Action.BLOCKED
    assert plan.result == "error"
    assert [p.code for p in by_name(plan)["user"].problems] == ["SLW-4501"]
    assert "unknown: there is no ConfigMap" in cluster.text(addons)

    # Something that the maker waits for brings it: the maker has nothing to do, its user has.
    addons["pool"] = addon(cluster, config_map(f"{cluster.name}-made", text="there"))
    addons["maker"]["after"] = ["pool"]
    plan = by_name(cluster.plan(addons))
    assert (plan["maker"].action, plan["user"].action) == (Action.UNCHANGED, Action.INSTALL)
    assert not failed(cluster.run(addons))
    assert live(cluster, user) == {"k": "there"}
    assert live(cluster, last) == {"k": "v"}
    assert cluster.plan(addons).result == "unchanged"


def test_a_value_may_come_a_moment_after_its_add_on_is_ready(cluster: Cluster) -> None:
    user = f"{cluster.name}-user"
    addons = {
        "maker": maker(cluster),
        "user": addon(cluster, config_map(user, k="{{ slipway_outputs.maker.text }}")),
    }
    waiting: list[str] = []

    def late(event: Event) -> None:
        if event.state == "waiting":
            waiting.append(event.detail)
            make(cluster, text="late")

    report, _events, _said = told(cluster, addons, emit=late)
    assert not failed(report)
    assert waiting == [f"slipway_outputs.maker.text: there is no ConfigMap {space(cluster)}/{cluster.name}-made"]
    assert live(cluster, user) == {"k": "late"}


def test_a_stand_in_is_applied_nowhere(cluster: Cluster, tmp_path: Path) -> None:
    """Also when nobody reads the outputs again."""
    user = f"{cluster.name}-user"
    addons = {
        "maker": maker(cluster, timeout=0),
        "user": addon(cluster, config_map(user, k="{{ slipway_outputs.maker.text }}")),
    }
    engine = cluster.engine(addons)
    engine._reload = lambda name: engine._manifest
    report = engine.execute(engine.plan())
    assert set(failed(report)) == {"user"}
    assert live(cluster, user) is None
    assert "known-after-maker" not in json.dumps(cluster.client().list(CONFIG_MAP.collection()))

    # Nor does it stand in the rendered history, which says what may be applied.
    engine = cluster.engine(addons, "plan", rendered_dir=tmp_path)
    plan = engine.plan()
    history = engine.history()
    assert history is not None
    history.write(plan)
    texts = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.yaml")}
    assert any("maker" in name for name in texts)
    assert not any("known-after" in text for text in texts.values())


def test_a_value_of_another_type_is_told(cluster: Cluster) -> None:
    make(cluster, count="many")
    addons = {
        "maker": maker(cluster),
        "user": addon(cluster, config_map(f"{cluster.name}-user", k="{{ slipway_outputs.maker.count }}")),
    }
    report, _events, _said = told(cluster, addons)
    why = f"ConfigMap {space(cluster)}/{cluster.name}-made: data.count is text, a whole number is declared"
    assert failed(report) == {"user": f"failed: SLW-4502 add-on user needs slipway_outputs.maker.count: {why} "
                              "(correct the output's 'path' or 'type' below 'outputs' of maker)"}  # fmt: skip
    (problem,) = by_name(cluster.plan(addons))["user"].problems
    assert (problem.code, problem.message) == ("SLW-4502", f"slipway_outputs.maker.count: {why}")


def test_what_cannot_be_rendered_without_its_values_waits_for_them(cluster: Cluster) -> None:
    """The chart's schema wants a URL; all else that it refuses is an error at once."""
    chart = {"chart": {"path": str(CHARTS / "dashboard")}, "namespace": space(cluster), "timeout": 40}
    values = {"metricsUrl": "{{ slipway_outputs.maker.text }}", "ingress": {"enabled": False}}
    addons: dict[str, Any] = {
        "maker": maker(cluster),
        "board": {**chart, "release": f"{cluster.name}-board", "values": {**values, "replicas": 0}},
    }
    with pytest.raises(FindingsError, match="replicas"):
        cluster.plan(addons)
    del addons["board"]["values"]["replicas"]
    text = cluster.text(addons)
    assert "note: cannot be rendered yet, known after maker: " in text
    assert "+ board                install" in text

    def late(event: Event) -> None:
        if event.state == "waiting" and event.addon == "board":
            make(cluster, text="https://metrics.example.com")

    report, _events, _said = told(cluster, addons, emit=late)
    assert not failed(report)
    found = cluster.get(f"/apis/apps/v1/namespaces/{space(cluster)}/deployments/{cluster.name}-board-dashboard")
    env = {one["name"]: one["value"] for one in found["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["METRICS_URL"] == "https://metrics.example.com"


def test_what_others_hold_is_theirs_when_an_output_changes_it(cluster: Cluster) -> None:
    """The second plan is made like the first: drift, conflicts and answers count."""
    user = f"{cluster.name}-user"

    def addons(text: str) -> dict[str, Any]:
        return {
            "maker": maker(cluster, config_map(f"{cluster.name}-made", text=text, count="1")),
            "user": addon(cluster, config_map(user, k="{{ slipway_outputs.maker.text }}", other="v")),
        }

    assert not failed(cluster.run(addons("one")))
    assert live(cluster, user) == {"k": "one", "other": "v"}
    path = CONFIG_MAP.path(space(cluster), user)
    cluster.patch(path, {"data": {"k": "by hand"}})
    report = cluster.run(addons("two"))
    assert set(failed(report)) == {"user"}
    assert "SLW-3301" in failed(report)["user"]
    assert live(cluster, user) == {"k": "by hand", "other": "v"}
    assert not failed(cluster.run(addons("three"), overwrite=["user"]))
    assert live(cluster, user) == {"k": "three", "other": "v"}


def test_what_has_appeared_by_its_turn_is_not_taken_over(cluster: Cluster) -> None:
    """The second plan looks at the cluster as it is then: the namespace is new, and somebody was faster."""
    fresh, user = f"{space(cluster)}-fresh", f"{cluster.name}-user"
    addons = {
        "maker": maker(cluster),
        "user": addon(cluster, config_map(user, k="{{ slipway_outputs.maker.text }}")),
    }
    for one in addons.values():
        one["namespace"] = fresh

    def meanwhile(event: Event) -> None:
        if event.state == "waiting":
            for name, data in ((user, {"k": "theirs"}), (f"{cluster.name}-made", {"text": "ours"})):
                cluster.apply(CONFIG_MAP.path(fresh, name), config_map(name, **data), manager="operator")

    report, _events, _said = told(cluster, addons, emit=meanwhile)
    assert "SLW-3201" in failed(report)["user"]
    assert cluster.get(CONFIG_MAP.path(fresh, user))["data"] == {"k": "theirs"}


def test_hooks_and_consent_count_when_only_an_output_changes(cluster: Cluster, tmp_path: Path) -> None:
    """The add-on turns out to change in the middle of the run: its hook comes first, and so does consent."""
    hook = tmp_path / "ask.yml"
    hook.write_text("- ansible.builtin.ping:\n", encoding="utf-8")
    hooked, scaled = f"{cluster.name}-hooked", f"{cluster.name}-scaled"

    def addons(count: int) -> dict[str, Any]:
        spec = {
            "replicas": "{{ slipway_outputs.maker.count }}",
            "selector": {"matchLabels": {"app": scaled}},
            "template": {
                "metadata": {"labels": {"app": scaled}},
                "spec": {"containers": [{"name": "main", "image": "registry.example/slipway/thing:1"}]},
            },
        }
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": scaled}, "spec": spec}
        return {
            "maker": maker(cluster, config_map(f"{cluster.name}-made", text=f"text-{count}", count=str(count))),
            "hooked": addon(
                cluster, config_map(hooked, k="{{ slipway_outputs.maker.text }}"), hooks={"before_upgrade": str(hook)}
            ),
            "last": addon(cluster, config_map(f"{cluster.name}-last", k=f"{count}"), requires=["hooked"]),
            "scaled": addon(cluster, deployment, scale_down="unsafe"),
        }

    cluster.ok(addons(2))
    plan = by_name(cluster.plan(addons(1)))
    assert (plan["hooked"].action, plan["scaled"].action) == (Action.UNCHANGED, Action.UNCHANGED)
    report = cluster.run(addons(1))
    assert set(failed(report)) == {"scaled"}
    assert "SLW-3501" in failed(report)["scaled"]
    (due,) = report.hooks
    assert (due.addon, due.operation, due.event) == ("hooked", "upgrade", "before_upgrade")
    assert not {"hooked", "last"} & set(report.results)
    assert live(cluster, hooked) == {"k": "text-2"}

    # The role runs the hook, notes it, and goes on with another segment of the run.
    note(
        cluster.client(),
        cluster.engine(addons(1))._manifest,
        addon="hooked",
        operation=due.operation,
        hook=due.name,
        namespace=cluster.home,
        lock_wait=0,
        lock_duration=5,
    )
    report = cluster.run(addons(1), scale_down=["scaled"])
    assert not failed(report)
    assert not report.hooks
    assert live(cluster, hooked) == {"k": "text-1"}
    found = cluster.get(f"/apis/apps/v1/namespaces/{space(cluster)}/deployments/{scaled}")
    assert found["spec"]["replicas"] == 1


def test_a_chain_is_followed_in_one_run(cluster: Cluster) -> None:
    """What an add-on makes of one output may be the output that the next one uses."""
    first, second, third = (f"{cluster.name}-{n}" for n in ("first", "second", "third"))
    output = {"value": {"kind": "ConfigMap", "path": "data.k", "name": "{release}"}}

    def addons(text: str) -> dict[str, Any]:
        return {
            "third": addon(cluster, config_map(third, k="{{ slipway_outputs.second.value }}!")),
            "second": addon(
                cluster, config_map(second, k="{{ slipway_outputs.first.value }}?"), outputs=output, release=second
            ),
            "first": addon(cluster, config_map(first, k=text), outputs=output, release=first),
        }

    for text in ("a", "b"):
        assert not failed(cluster.run(addons(text)))
        assert live(cluster, third) == {"k": f"{text}?!"}
    assert cluster.plan(addons("b")).result == "unchanged"
    # Selected by name: what it uses comes with it.
    plan = cluster.plan(addons("c"), only=("third",))
    assert sorted(plan.pulled_in) == ["first", "second"]
    assert by_name(plan)["third"].again == ("second.value",)


def test_no_answer_of_the_server_gives_a_secret_away(cluster: Cluster) -> None:
    """It quotes what it refuses: here a value that nobody knew when the run began."""
    password = "no label! zebra-9W"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": cluster.name}, "stringData": {"p": password}}
    user = config_map(f"{cluster.name}-user", k="v")
    user["metadata"]["labels"] = {"p": "{{ slipway_outputs.maker.password }}"}
    outputs = {"password": {"kind": "Secret", "name": cluster.name, "path": "data.p"}}
    addons = {"maker": maker(cluster), "user": addon(cluster, user)}
    addons["maker"]["outputs"] = outputs

    def late(event: Event) -> None:
        if event.state == "waiting":
            cluster.apply(SECRET.path(space(cluster), cluster.name), secret, manager="operator")

    report, _events, said = told(cluster, addons, emit=late)
    assert "metadata.labels: Invalid value" in said
    assert set(failed(report)) == {"user"}
    assert not found_in(said, [password])


READER = "slipway-outputs-reader"


@pytest.fixture
def reader(cluster: Cluster) -> Client:
    """Somebody who may look at everything but Secrets."""
    admin = cluster.client()
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": READER}}
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": READER, "labels": {"slipway.cluster/name": cluster.name}},
        "rules": [{"apiGroups": [""], "resources": ["configmaps", "namespaces"], "verbs": ["get", "list"]}],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": READER, "labels": {"slipway.cluster/name": cluster.name}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": READER},
        "subjects": [{"kind": "ServiceAccount", "name": READER, "namespace": space(cluster)}],
    }
    accounts = f"/api/v1/namespaces/{space(cluster)}/serviceaccounts"
    admin.apply(f"{accounts}/{READER}", account, manager="test")
    admin.apply(f"{rbac}/clusterroles/{READER}", role, manager="test")
    admin.apply(f"{rbac}/clusterrolebindings/{READER}", binding, manager="test")
    answer = admin.write("POST", f"{accounts}/{READER}/token", {"spec": {"expirationSeconds": 600}})
    access = replace(cluster.access, token=answer["status"]["token"], client_cert_pem=b"", client_key_pem=b"")
    return Client(access, user_agent="reader", patience=5.0)


def test_who_may_not_read_a_secret_plans_all_the_rest(cluster: Cluster, reader: Client) -> None:
    user = f"{cluster.name}-user"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": cluster.name}, "stringData": {"p": "zebra-9W"}}
    cluster.apply(SECRET.path(space(cluster), cluster.name), secret, manager="operator")
    outputs = {"password": {"kind": "Secret", "name": cluster.name, "path": "data.p"}}
    addons = {
        "maker": addon(cluster, config_map(f"{cluster.name}-maker", k="v"), outputs=outputs),
        "user": addon(cluster, config_map(user, k="{{ slipway_outputs.maker.password }}")),
    }
    report, _events, said = told(cluster, addons)
    assert not failed(report)
    assert live(cluster, user) == {"k": "zebra-9W"}
    assert not found_in(said, ["zebra-9W"])

    text = cluster.text(addons, client=reader)
    denied = f"unverified (rights): no right to get Secret {space(cluster)}/{cluster.name}"
    assert "? user                 unverified (rights)" in text
    assert f"? objects[0].data.k  {denied}  (slipway_outputs.maker.password)" in text
    assert cluster.plan(addons, client=reader).result == "unchanged"
    # Drift is seen all the same; what it is cannot be told.
    cluster.patch(CONFIG_MAP.path(space(cluster), user), {"data": {"k": "by hand"}})
    assert cluster.plan(addons, client=reader).result == "drift"


@pytest.mark.parametrize("core", CORES)
def test_playbooks_on_every_core(cluster: Cluster, core: str, tmp_path: Path) -> None:
    """Templates are evaluated again in the middle of the run, and keep their types on every ansible-core."""
    chart = {"path": str(CHARTS / "portal")}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": cluster.name}, "stringData": {"p": "zebra-9W"}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": cluster.name},
        "spec": {"type": "LoadBalancer", "ports": [{"name": "http", "port": 8443}], "selector": {"app": "none"}},
    }
    where = {"kind": "Service", "name": cluster.name}
    outputs = {
        "address": {**where, "path": "status.loadBalancer.ingress[0].ip"},
        "port": {**where, "path": "spec.ports[http].port", "type": "integer"},
        "password": {"kind": "Secret", "name": cluster.name, "path": "data.p"},
    }
    values = {
        "host": "{{ entry }}.nip.io",
        "service": {"port": "{{ slipway_outputs.edge.port }}"},
        "podAnnotations": {"p": "{{ slipway_outputs.edge.password }}"},
        "replicas": 1,
    }
    told = "told {{ slipway_addon['values'].host }} {{ slipway_addon['values'].port + 1 }}"
    task = {"name": "Tell", "ansible.builtin.debug": {"msg": told}}
    (tmp_path / "hook.yml").write_text(yaml.safe_dump([task]), encoding="utf-8")
    variables = {
        "slipway_name": cluster.name,
        "slipway_namespace": cluster.home,
        "entry": "{{ slipway_outputs['edge'].address }}",
        "slipway_addons": {
            "edge": addon(cluster, service, secret, outputs=outputs),
            "portal": {
                "chart": chart, "namespace": space(cluster), "release": f"{cluster.name}-portal", "timeout": 60,
                "values": values,
            },
            "hooked": addon(
                cluster, config_map(f"{cluster.name}-hooked", k="v"),
                hooks={"before_install": str(tmp_path / "hook.yml")},
                values={"host": "{{ entry }}", "port": "{{ slipway_outputs.edge.port }}"},
            ),
        },
        "slipway_kubeconfig": cluster.env["kubeconfig"],
        "slipway_helm": cluster.helm,
        "slipway_cache_dir": str(cluster.cache),
        "slipway_report_file": str(tmp_path / "report.json"),
    }  # fmt: skip
    (tmp_path / "vars.yml").write_text(yaml.safe_dump(variables, sort_keys=False), encoding="utf-8")
    done = ansible(core, tmp_path, "slipway.cluster.install", "-vv", "-e", "@vars.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "? values host  known after edge  (slipway_outputs.edge.address)" in done.stdout
    assert not found_in(done.stdout + done.stderr, ["zebra-9W"])
    assert not found_in((tmp_path / "report.json").read_text(encoding="utf-8"), ["zebra-9W"])
    found = cluster.get(f"/api/v1/namespaces/{space(cluster)}/services/{cluster.name}-portal")
    assert found["spec"]["ports"][0]["port"] == 8443
    edge = cluster.get(f"/api/v1/namespaces/{space(cluster)}/services/{cluster.name}")
    address = edge["status"]["loadBalancer"]["ingress"][0]["ip"]
    ingress = cluster.get(f"/apis/networking.k8s.io/v1/namespaces/{space(cluster)}/ingresses/{cluster.name}-portal")
    assert ingress["spec"]["rules"][0]["host"] == f"{address}.nip.io"
    assert f"told {address} 8444" in done.stdout
