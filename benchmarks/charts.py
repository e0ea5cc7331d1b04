# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Write the charts of the benchmark's add-ons: real templates (``skeleton/``) over made-up content, always the same."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from benchmarks import schemas
from benchmarks.twenty import Component, Shape

SKELETON = Path(__file__).resolve().parent / "skeleton" / "templates"
VERSION = "1.4.2"

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_VERBS = (["get", "list", "watch"], ["create", "patch", "update", "delete"], ["get", "update"])
_RESOURCES = (
    ("", ["pods", "nodes", "namespaces"]),
    ("", ["services", "endpoints"]),
    ("", ["secrets"]),
    ("", ["configmaps"]),
    ("apps", ["deployments", "daemonsets", "statefulsets"]),
    ("batch", ["jobs", "cronjobs"]),
    ("networking.k8s.io", ["ingresses", "networkpolicies"]),
    ("discovery.k8s.io", ["endpointslices"]),
    ("coordination.k8s.io", ["leases"]),
    ("events.k8s.io", ["events"]),
    ("storage.k8s.io", ["storageclasses", "volumeattachments"]),
    ("policy", ["poddisruptionbudgets"]),
)


def write(shapes: Iterable[Shape], folder: Path) -> None:
    """Replace ``folder`` by one chart for each shape."""
    shutil.rmtree(folder, ignore_errors=True)
    for shape in shapes:
        chart = folder / shape.name
        shutil.copytree(SKELETON, chart / "templates")
        about = {
            "apiVersion": "v2",
            "name": shape.name,
            "version": VERSION,
            "appVersion": "3.7.0",
            "description": f"Benchmark chart {shape.name}",
            "type": "application",
        }
        (chart / "Chart.yaml").write_text(_dump(about), encoding="utf-8")
        (chart / "values.yaml").write_text(_dump(defaults(shape)), encoding="utf-8")
        definitions = chart / ("definitions" if shape.crds_in_templates else "crds")
        for kind, kib in shape.crds.items():
            definitions.mkdir(exist_ok=True)
            text = _dump(schemas.crd(shape.group, kind, kib))
            (definitions / f"{kind.lower()}.yaml").write_text(text, encoding="utf-8")
        for number in range(shape.dashboards):
            (chart / "dashboards").mkdir(exist_ok=True)
            text = json.dumps(_dashboard(shape, number), indent=2)
            (chart / "dashboards" / f"board-{number:02}.json").write_text(text + "\n", encoding="utf-8")


def overrides(shape: Shape, *, changed: bool = False) -> dict[str, Any]:
    """What a user of the chart sets; ``changed`` with another value at one key."""
    return {
        "commonLabels": {"team": "platform"},
        "global": {"registry": "registry.internal.example"},
        "settings": {"logLevel": "debug" if changed else "info", "cluster": "bench"},
    }


def crd_names(shapes: Iterable[Shape]) -> list[str]:
    return [str(schemas.crd(s.group, kind, 1)["metadata"]["name"]) for s in shapes for kind in s.crds]


def defaults(shape: Shape) -> dict[str, Any]:
    """The chart's values.yaml."""
    chance = random.Random(f"{shape.name}/values")
    names = [component.name for component in shape.components]
    return {
        "global": {"registry": "", "pullPolicy": "IfNotPresent", "imagePullSecrets": [], "scrapeInterval": "30s"},
        "commonLabels": {},
        "settings": {"logLevel": "warn", "cluster": "", "features": {f"feature{n}": n % 2 == 0 for n in range(8)}},
        "components": {c.name: _component(chance, shape, c) for c in shape.components},
        "rbac": {
            "create": True,
            "clusterRoles": {f"role-{n}": _role(chance, names, n, aggregate=n > 6) for n in range(shape.cluster_roles)},
            "roles": {f"local-{n}": _role(chance, names, n) for n in range(shape.roles)},
        },
        "configMaps": {f"data-{n}": _data(chance) for n in range(shape.config_maps)},
        "secrets": {f"keys-{n}": {"token": f"{chance.getrandbits(160):040x}"} for n in range(shape.secrets)},
        "monitors": {
            f"scrape-{n}": {"component": names[n % len(names)], "port": "metrics"} for n in range(shape.monitors)
        },
        "rules": {f"rules-{n}": [_alert(chance, n, at) for at in range(6)] for n in range(shape.rules)},
        "hook": {"name": shape.hook[0], "events": shape.hook[1]} if shape.hook else None,
        "crds": {"enabled": shape.crds_in_templates},
        "ingress": {
            "enabled": shape.ingress,
            "className": "bench",
            "host": f"{shape.name}.apps.bench.example",
            "annotations": {},
            "component": names[0],
            "port": "http",
        },
    }


def _component(chance: random.Random, shape: Shape, component: Component) -> dict[str, Any]:
    return {
        "kind": component.kind,
        "replicas": component.replicas,
        "image": {"registry": "registry.example", "repository": f"{shape.name}/{component.name}", "tag": ""},
        "flags": {f"option{n}": chance.randrange(1000) for n in range(6)},
        "env": {f"setting_{n}": f"value-{chance.randrange(1000)}" for n in range(3)},
        "ports": [{"name": "http", "port": 8080}, {"name": "metrics", "port": 9090}],
        "service": {"type": component.service},
        "resources": {
            "requests": {"cpu": "50m", "memory": f"{chance.randint(1, 8) * 32}Mi"},
            "limits": {"memory": f"{chance.randint(8, 16) * 64}Mi"},
        },
        "storage": component.storage,
        "podAnnotations": {},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}] if component.kind == "DaemonSet" else [],
        "disruptionBudget": shape.budgets and component.kind != "DaemonSet",
        "networkPolicy": shape.network_policies,
    }


def _role(chance: random.Random, components: list[str], number: int, *, aggregate: bool = False) -> dict[str, Any]:
    chosen = chance.sample(_RESOURCES, chance.randint(2, 7))
    return {
        "component": components[number % len(components)],
        "aggregate": "view" if aggregate else "",
        "rules": [
            {"apiGroups": [group], "resources": list(resources), "verbs": list(chance.choice(_VERBS))}
            for group, resources in chosen
        ],
    }


def _data(chance: random.Random) -> dict[str, str]:
    return {f"part-{n}.conf": "\n".join(f"{schemas.sentence(chance, 12)}" for _line in range(20)) for n in range(3)}


def _alert(chance: random.Random, number: int, at: int) -> dict[str, Any]:
    return {
        "alert": f"Alert{number:02}Case{at}",
        "expr": f"sum(rate(requests_total{{job='{chance.randrange(99)}'}}[5m])) by (pod) > {chance.randrange(100)}",
        "for": f"{chance.choice((5, 10, 15))}m",
        "severity": chance.choice(("warning", "critical")),
        "summary": schemas.sentence(chance, 8),
        "description": schemas.sentence(chance, 24),
    }


def _dashboard(shape: Shape, number: int) -> dict[str, Any]:
    chance = random.Random(f"{shape.name}/board/{number}")
    return {
        "title": schemas.sentence(chance, 4),
        "panels": [
            {
                "id": panel,
                "type": chance.choice(("timeseries", "stat", "table")),
                "title": schemas.sentence(chance, 5),
                "gridPos": {"h": 8, "w": 12, "x": panel % 2 * 12, "y": panel // 2 * 8},
                "targets": [
                    {"expr": f"sum(rate(series_{chance.randrange(999)}_total[5m])) by (instance)", "refId": letter}
                    for letter in "ABC"
                ],
                "fieldConfig": {"defaults": {"unit": "short", "color": {"mode": "palette-classic"}}},
            }
            for panel in range(chance.randint(8, 18))
        ],
        "uid": f"{chance.getrandbits(40):010x}",
    }


def _dump(value: object) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=100)
