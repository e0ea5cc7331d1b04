# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A look at 500 objects, untouched and with 20 changed by somebody else: our engine call beside ``kubectl diff``."""

from __future__ import annotations

import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Plan
from benchmarks import schemas
from benchmarks.engine import engine
from benchmarks.ground import Ground
from benchmarks.measure import Cost

NAME = "drift"
ADDONS = 10
DEPLOYMENTS, CONFIG_MAPS = 20, 30
OBJECTS = ADDONS * (DEPLOYMENTS + CONFIG_MAPS)
CHANGED = 20
STATES = ("untouched", "changed")

_CHART = """\
{{- range until (int .Values.deployments) }}
---
{{ tpl ($.Files.Get "deployment.yaml") (dict "number" . "Template" $.Template) }}
{{- end }}
{{- range until (int .Values.configMaps) }}
---
{{ $.Files.Get (printf "data/%d.yaml" .) }}
{{- end }}
"""


class Drift:
    """Five charts and five folders of manifests, 50 objects each."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._folder = ground.work / "drift"
        self._rendered = self._folder / "rendered"
        names = [f"part-{number}" for number in range(ADDONS)]
        self._charts, self._manifests = names[::2], names[1::2]
        self.addons: dict[str, Any] = {
            **{n: {"chart": {"path": str(self._folder / n)}, "namespace": n} for n in self._charts},
            **{n: {"manifests": str(self._folder / n), "namespace": n} for n in self._manifests},
        }

    def measure(self, rounds: int, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
        """Install, look ``rounds`` times by turns in each state, and remove. Yields one sample a look."""
        self._write()
        install = engine(self._ground, NAME, self.addons)
        report = install.execute(install.plan())
        if report.failed:
            raise SystemExit(f"the objects for drift could not be installed: {report.results}")
        self._ground.meter.settle()
        for state in STATES:
            if state == "changed":
                self._change()
            self._look(state)  # connections, caches and imports of both are warm from here on
            for number in range(rounds):
                for who in ("slipway", "kubectl") if number % 2 else ("kubectl", "slipway"):
                    cost = self._look(state) if who == "slipway" else self._kubectl(state)
                    say(f"drift of {OBJECTS} objects, {state}, {who}: {cost.seconds:.3f} s")
                    yield {"state": state, "who": who, "round": number, "cost": cost}
        removal = engine(self._ground, NAME, self.addons, "remove")
        removal.execute(removal.plan())
        self._ground.clean([*self.addons, f"{NAME}-home"])

    def _look(self, state: str) -> Cost:
        meter = self._ground.meter
        look = engine(self._ground, NAME, self.addons, "plan")
        offset, before, cpu = meter.audit_offset(), meter.control_plane(), _cpu()
        began = time.monotonic()
        plan = look.plan()
        seconds = time.monotonic() - began
        cpu = _cpu() - cpu
        meter.settle()
        after = meter.control_plane()
        found = _drifted(plan)
        if found != (CHANGED if state == "changed" else 0):
            raise SystemExit(f"{found} objects with drift were found in the {state} state")
        return Cost(
            seconds=seconds,
            cpu=cpu,
            api_cpu=after["kube-apiserver"] - before["kube-apiserver"],
            etcd_cpu=after["etcd"] - before["etcd"],
            requests=meter.requests_since(offset),
            helms=plan.helm_processes,
        )

    def _kubectl(self, state: str) -> Cost:
        options = ["--force-conflicts"] if state == "changed" else []
        return self._ground.kubectl_diff(self._rendered, *options, differs=state == "changed")

    def _change(self) -> None:
        """Another value in one field of every 25th object, by another writer."""
        for name in (*self._charts[:2], *self._manifests[:2]):
            for number in range(CHANGED // 4):
                kind, patch = (
                    ("configmap", '{"data": {"part-0": "changed"}}')
                    if number % 2
                    else ("deployment", '{"spec": {"revisionHistoryLimit": 7}}')
                )
                target = [f"{kind}/{'data' if number % 2 else 'web'}-{number}", "--type=merge", "-p", patch]
                self._ground.kubectl("--namespace", name, "patch", *target)
        self._ground.meter.settle()

    def _write(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in self._charts:
            folder = self._folder / name
            (folder / "templates").mkdir(parents=True)
            (folder / "data").mkdir()
            about = {"apiVersion": "v2", "name": name, "version": "1.0.0"}
            (folder / "Chart.yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
            values = {"deployments": DEPLOYMENTS, "configMaps": CONFIG_MAPS}
            (folder / "values.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
            (folder / "templates" / "all.yaml").write_text(_CHART, encoding="utf-8")
            template = yaml.safe_dump(_deployment(name, "{{ .number }}"), sort_keys=False)
            (folder / "deployment.yaml").write_text(template, encoding="utf-8")
            for number in range(CONFIG_MAPS):
                _dump(folder / "data" / f"{number}.yaml", [_config_map(name, number)])
        for name in self._manifests:
            (self._folder / name).mkdir(parents=True)
            _dump(self._folder / name / "web.yaml", [_deployment(name, str(n)) for n in range(DEPLOYMENTS)])
            _dump(self._folder / name / "data.yaml", [_config_map(name, n) for n in range(CONFIG_MAPS)])
        self._ground.render(self._rendered, {n: self._folder / n for n in self._charts}, {})
        for name in self._manifests:
            files = sorted((self._folder / name).iterdir())
            text = "---\n".join(file.read_text(encoding="utf-8") for file in files)
            (self._rendered / f"{name}.yaml").write_text(text, encoding="utf-8")


def _drifted(plan: Plan) -> int:
    return len({(addon.name, drift.object) for addon in plan.addons for drift in addon.drift})


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _dump(path: Path, objects: list[dict[str, Any]]) -> None:
    path.write_text(yaml.safe_dump_all(objects, sort_keys=False), encoding="utf-8")


def _meta(namespace: str, name: str) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": namespace}}


def _config_map(namespace: str, number: int) -> dict[str, Any]:
    chance = random.Random(f"{namespace}/{number}")
    data = {f"part-{n}": schemas.sentence(chance, 60) for n in range(4)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(namespace, f"data-{number}"), "data": data}


def _deployment(namespace: str, number: str) -> dict[str, Any]:
    """Without replicas: the comparison is about objects, and pods would only warm the machine."""
    labels = {"app": f"web-{number}"}
    container = {
        "name": "web",
        "image": "registry.example/web:1.2.3",
        "args": ["--listen=:8080", "--log-level=info"],
        "env": [{"name": f"SETTING_{n}", "value": f"value {n}"} for n in range(6)],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod = {
        "serviceAccountName": "default",
        "containers": [container],
        "volumes": [{"name": "data", "configMap": {"name": "data-0"}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(namespace, f"web-{number}"),
        "spec": {
            "replicas": 0,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
