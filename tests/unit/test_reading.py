# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Values read from a cluster that is written down here: types, reasons, and how often it is asked."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.field_path import steps
from ansible_collections.slipway.cluster.plugins.module_utils.addons.output import Output, Reading
from ansible_collections.slipway.cluster.plugins.module_utils.addons.reading import LiveOutputs
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError

KINDS = [
    ("", "Service", "services", True),
    ("serving.example.com", "Service", "services", True),
    ("", "Secret", "secrets", True),
    ("", "ConfigMap", "configmaps", True),
    ("", "Node", "nodes", False),
    ("one.example.com", "Pool", "pools", True),
    ("two.example.com", "Pool", "pools", True),
]


def _b64(text: bytes) -> str:
    return base64.b64encode(text).decode()


OBJECTS: dict[str, Any] = {
    "/api/v1/namespaces/a/services/x": {
        "metadata": {"annotations": {"example.com/class": "inner"}},
        "spec": {
            "clusterIP": "10.0.0.1",
            "ports": [{"name": "http", "port": 80}, {"name": "s", "port": 443}],
            "none": None,
        },
        "status": {
            "loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]},
            "conditions": [{"type": "Ok", "n": 1.5}],
        },
    },
    "/api/v1/namespaces/a/services/new": {"spec": {}, "status": {"loadBalancer": {}}},
    "/apis/serving.example.com/v1/namespaces/a/services/x": {"status": {"url": "http://x"}},
    "/api/v1/namespaces/a/secrets/x": {
        "data": {
            "password": _b64(b"p\xc3\xa4ss"),
            "port": _b64(b"5432"),
            "list": _b64(b'["a"]'),
            "raw": _b64(b"\xff\xfe"),
        }
    },
    "/api/v1/namespaces/a/configmaps/x": {"data": {"on": "true", "text": "5", "ca.crt": "PEM"}},
    "/api/v1/nodes/x": {"status": {"capacity": {"pods": "110"}}},
}


class Client:
    """``denied``: paths that may not be read."""

    def __init__(self, denied: tuple[str, ...] = ()) -> None:
        self.asked: list[str] = []
        self._denied = denied

    def get(self, path: str, query: Any = None, accept: str = "") -> Any:
        self.asked.append(path)
        if path in self._denied:
            raise ApiError(403, "Forbidden", "secrets is forbidden", (), path)
        if path in ("/api", "/apis"):
            groups = [_group(*kind) for kind in KINDS if bool(kind[0]) is (path == "/apis")]
            return {"kind": "APIGroupDiscoveryList", "items": groups}
        return OBJECTS.get(path)


def _group(group: str, kind: str, plural: str, namespaced: bool) -> Any:
    resource = {
        "resource": plural,
        "responseKind": {"group": group, "version": "v1", "kind": kind},
        "scope": "Namespaced" if namespaced else "Cluster",
        "verbs": ["get"],
    }
    return {"metadata": {"name": group}, "versions": [{"version": "v1", "resources": [resource]}]}


def output(kind: str, path: str, *, name: str = "x", **more: Any) -> Output:
    return Output("addon", path, kind, name, "a", steps(path) or (), **more)


@pytest.mark.parametrize(
    ("one", "value"),
    [
        (output("Service", "spec.clusterIP"), "10.0.0.1"),
        (output("Service", "status.loadBalancer.ingress[0].hostname"), "lb.example.com"),
        (output("Service", "spec.ports[1].port", type="integer"), 443),
        (output("Service", "spec.ports[http].port", type="integer"), 80),
        (output("Service", "status.conditions[Ok].n", type="number"), 1.5),
        (output("Service", "spec.ports", type="list"), OBJECTS["/api/v1/namespaces/a/services/x"]["spec"]["ports"]),
        (output("Service", "metadata.annotations[example.com/class]"), "inner"),
        (output("Service", "status.url", group="serving.example.com"), "http://x"),
        (output("Secret", "data.password"), "päss"),
        (output("Secret", "data.port"), "5432"),
        (output("Secret", "data.port", type="integer"), 5432),
        (output("Secret", "data.list", type="list"), ["a"]),
        (output("ConfigMap", "data.on", type="boolean"), True),
        (output("ConfigMap", "data.text"), "5"),
        (output("ConfigMap", "data[ca.crt]"), "PEM"),
        (output("ConfigMap", "data", type="map"), {"on": "true", "text": "5", "ca.crt": "PEM"}),
        (output("Node", "status.capacity.pods"), "110"),
    ],
    ids=lambda one: f"{one.kind}-{one.name}-{one.type}" if isinstance(one, Output) else "",
)
def test_values(one: Output, value: Any) -> None:
    found = LiveOutputs(Client())(one)  # type: ignore[arg-type]
    assert found == Reading(value)
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("one", "code", "why"),
    [
        (output("Service", "status.url", name="gone"), "SLW-4501", "there is no Service a/gone"),
        (output("Servise", "a"), "SLW-4501", "nobody serves the kind Servise"),
        (output("Service", "a", group="x.y"), "SLW-4501", "nobody serves the kind Service of group x.y"),
        (output("Node", "a", name="gone"), "SLW-4501", "there is no Node gone"),
        (
            output("Service", "status.loadBalancer.ingress[0].ip"),
            "SLW-4501",
            "Service a/x has no status.loadBalancer.ingress[0].ip; there is: hostname",
        ),
        (output("Service", "spec.ports[2].port"), "SLW-4501", "Service a/x has no spec.ports[2]"),
        (output("Service", "spec.ports[dns].port"), "SLW-4501", "Service a/x has no spec.ports.dns"),
        (output("Service", "status.loadBalancer.ingress[0].ip", name="new"), "SLW-4501",
         "Service a/new has no status.loadBalancer.ingress"),
        (output("Service", "spec.none"), "SLW-4501", "Service a/x has no spec.none; there is: clusterIP, none, ports"),
        (output("Secret", "data.user"), "SLW-4501", "Secret a/x has no data.user; there is: list, password, port, raw"),
        (
            output("Service", "spec.ports[0].port"),
            "SLW-4502",
            "Service a/x: spec.ports[0].port is a whole number, text is declared",
        ),
        (
            output("ConfigMap", "data.on", type="integer"),
            "SLW-4502",
            "ConfigMap a/x: data.on is true or false, a whole number is declared",
        ),
        (
            output("Secret", "data.password", type="integer"),
            "SLW-4502",
            "Secret a/x: data.password is text, a whole number is declared",
        ),
        (output("Secret", "data.raw"), "SLW-4502", "Secret a/x: data.raw is no text, text is declared"),
        (output("Secret", "data", type="map"), "SLW-4502", "Secret a/x: data is no text, a map is declared"),
        (
            output("Pool", "a"),
            "SLW-4502",
            "the kind Pool is served by one.example.com and two.example.com: name one as 'group'",
        ),
    ],
)  # fmt: skip
def test_reasons(one: Output, code: str, why: str) -> None:
    assert LiveOutputs(Client())(one) == Reading(code=code, why=why)  # type: ignore[arg-type]


def test_no_right_is_a_reason_and_other_errors_are_errors() -> None:
    path = "/api/v1/namespaces/a/secrets/x"
    denied = LiveOutputs(Client((path,)))(output("Secret", "data.password"))  # type: ignore[arg-type]
    assert denied == Reading(code="SLW-4503", why="no right to get Secret a/x")
    with pytest.raises(ApiError):
        LiveOutputs(Client(("/api",)))(output("Secret", "data.password"))  # type: ignore[arg-type]


def test_every_object_is_asked_for_once() -> None:
    client = Client()
    look = LiveOutputs(client)  # type: ignore[arg-type]
    for path in ("data.password", "data.port", "data.user", "data.raw"):
        look(output("Secret", path))
    look(output("ConfigMap", "data.text"))
    look(output("ConfigMap", "data.text", name="gone"))
    look(output("ConfigMap", "data.text", name="gone"))
    assert sorted(client.asked) == [
        "/api",
        "/api/v1/namespaces/a/configmaps/gone",
        "/api/v1/namespaces/a/configmaps/x",
        "/api/v1/namespaces/a/secrets/x",
        "/apis",
    ]
