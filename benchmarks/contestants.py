# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who is compared: each takes the same charts and values through the same steps, by the commands its users type."""

from __future__ import annotations

import json
import shutil
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import yaml

from benchmarks import charts, twenty
from benchmarks.ground import LIMIT, ROOT, Ground
from benchmarks.measure import Cost

STEPS = ("install", "again", "drift", "change", "remove")


class Contestant(ABC):
    """``folder`` is its own, made anew for each turn."""

    name: ClassVar[str]
    helm: ClassVar[str] = "helm4"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.folder = ground.work / self.name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.environment = ground.environment(self.helm)

    def do(self, step: str) -> Cost | None:
        """Cost of one step; None when the contestant has no such thing."""
        commands = self.commands(step)
        total: Cost | None = None
        for command in commands:
            cost = self.ground.meter.run(command, cwd=self.folder, env=self.environment, limit=LIMIT)
            total = cost if total is None else total + cost
        return total

    @abstractmethod
    def commands(self, step: str) -> list[list[str]]: ...


class Slipway(Contestant):
    """As a user runs it, Ansible's start included. ``start`` is an extra step: that start alone."""

    name = "slipway"

    def commands(self, step: str) -> list[list[str]]:
        names = [s.name for s in self.ground.shapes]
        self.environment["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".build" / "collections")
        values = self.ground.values(changed=step in ("change", "remove"))
        addons = {
            name: {"chart": {"path": str(self.ground.chart_folder / name)}, "namespace": name, "values": values[name]}
            for name in names
        }
        variables = {
            "slipway_name": "bench",
            "slipway_kubeconfig": self.environment["KUBECONFIG"],
            "slipway_cache_dir": str(self.folder / "cache"),
            "slipway_addons": addons,
        }
        _write(self.folder / "hosts.json", _inventory(variables))
        program = str(Path(sys.executable).parent / "ansible-playbook")
        start = [program, "-i", "hosts.json"]
        if step == "start":
            _write(self.folder / "empty.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": []}])
            return [[*start, "empty.yml"]]
        playbook = {"remove": "remove", "drift": "plan"}.get(step, "install")
        consent = {
            "slipway_remove_addons": names,
            "slipway_remove_pvcs": names,
            "slipway_remove_crds": {s.name: 0 for s in self.ground.shapes if s.crds},
        }
        extra = ["-e", json.dumps(consent)] if step == "remove" else []
        return [[*start, f"slipway.cluster.{playbook}", *extra]]


class Helmfile(Contestant):
    """``sync`` upgrades every release each time; ``apply`` and ``diff`` need the plugin helm-diff."""

    name = "helmfile"
    program: ClassVar[Path]
    has_diff: ClassVar[bool] = False

    def commands(self, step: str) -> list[list[str]]:
        values = self.ground.values(changed=step in ("change", "remove"))
        releases = [
            {
                "name": s.name,
                "namespace": s.name,
                "chart": str(self.ground.chart_folder / s.name),
                "needs": [f"{n}/{n}" for n in _providers(s)],
                "values": [values[s.name]],
            }
            for s in self.ground.shapes
        ]
        defaults = {"wait": True, "timeout": 600, "createNamespace": True, "disableValidation": True}
        (self.folder / "helmfile.yaml").write_text(
            yaml.safe_dump({"helmDefaults": defaults, "releases": releases}, sort_keys=False), encoding="utf-8"
        )
        start = [str(self.program), "--file", "helmfile.yaml", "--quiet"]
        four = ["--concurrency", "4"]
        if step == "remove":
            return [[*start, "destroy", *four], *_kubectl_removal(self.ground)]
        if step == "drift":
            return [[*start, "diff", *four]] if self.has_diff else []
        if not self.has_diff:
            return [[*start, "sync", *four]]
        return [[*start, "apply", *four, *(["--skip-diff-on-install"] if step == "install" else [])]]


class Tasks(Contestant):
    """``kubernetes.core.helm``, a task for each add-on, providers of CRDs first. It does not work with Helm 4."""

    name = "tasks"
    helm = "helm3"
    python: ClassVar[Path]

    def commands(self, step: str) -> list[list[str]]:
        values = self.ground.values(changed=step in ("change", "remove"))
        ordered = sorted(self.ground.shapes, key=lambda s: bool(_providers(s)))
        common = {"wait": True, "timeout": "10m"}
        if step == "remove":
            tasks = [
                _task("kubernetes.core.helm", s.name, {**common, "state": "absent", "release_namespace": s.name})
                for s in reversed(ordered)
            ]
            left = [_named("v1", "Namespace", s.name) for s in self.ground.shapes]
            left += [_named("apiextensions.k8s.io/v1", "CustomResourceDefinition", n) for n in _crds(self.ground)]
            options: dict[str, Any] = {"state": "absent", "definition": left}
            tasks.append({"name": "Remove what Helm leaves", "kubernetes.core.k8s": options})
            # Waiting at once would be for one after the other.
            options = {**options, "wait": True, "wait_sleep": 1, "wait_timeout": 600}
            tasks.append({"name": "Wait until all is gone", "kubernetes.core.k8s": options})
        else:
            tasks = [
                _task(
                    "kubernetes.core.helm",
                    s.name,
                    {
                        **common,
                        "chart_ref": str(self.ground.chart_folder / s.name),
                        "release_namespace": s.name,
                        "create_namespace": True,
                        "values": values[s.name],
                    },
                )
                for s in ordered
            ]
        _write(self.folder / "hosts.json", _inventory({"ansible_python_interpreter": str(self.python)}))
        _write(self.folder / "play.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
        check = ["--check"] if step == "drift" else []
        return [[str(self.python), "-m", "ansible", "playbook", "-i", "hosts.json", "play.yml", *check]]


def _task(module: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"Add-on {name}", module: {"name": name, **options}}


def _named(version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def _inventory(variables: dict[str, Any]) -> dict[str, Any]:
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **variables}
    return {"all": {"hosts": {"localhost": host}}}


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _providers(shape: twenty.Shape) -> list[str]:
    """Who must be there first: the one whose CRDs the add-on's objects need."""
    needs = (shape.monitors or shape.rules) and shape.name != twenty.MONITORING.name
    return [twenty.MONITORING.name] if needs else []


def _crds(ground: Ground) -> list[str]:
    return charts.crd_names(ground.shapes)


def _kubectl_removal(ground: Ground) -> list[list[str]]:
    """Helm leaves namespaces and most CRDs; with these two commands the cluster is as it was."""
    delete = ["kubectl", "delete", "--ignore-not-found"]
    return [[*delete, "crd", *_crds(ground)], [*delete, "namespace", *(s.name for s in ground.shapes)]]
