# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What all contestants stand on: the lab, charts and values, and a cluster without a trace of the one before."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import charts
from benchmarks.measure import Cost, Meter
from benchmarks.twenty import CHANGED, Shape

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 900.0
_SHARED = "namespaces,customresourcedefinitions,persistentvolumes,clusterroles,clusterrolebindings"


@dataclass(frozen=True)
class Ground:
    """``env`` is the lab's env.json, ``work`` a folder that may be emptied."""

    env: dict[str, Any]
    work: Path
    meter: Meter
    shapes: tuple[Shape, ...]

    @property
    def chart_folder(self) -> Path:
        return self.work / "charts"

    @property
    def rendered(self) -> Path:
        """One file of objects for each add-on, as ``helm template`` prints it."""
        return self.work / "rendered"

    def values(self, *, changed: bool) -> dict[str, dict[str, Any]]:
        return {s.name: charts.overrides(s, changed=changed and s.name == CHANGED) for s in self.shapes}

    def environment(self, helm: str = "helm4") -> dict[str, str]:
        """Of a contestant that starts this release of Helm, counted."""
        programs = Path(str(self.env["bin_dir"]))
        counted = self.meter.wrapper(self.work / f"bin-{helm}", Path(self.env["bin"][helm]))
        paths = (str(counted), str(programs), os.environ["PATH"])
        return {**os.environ, "PATH": ":".join(paths), "KUBECONFIG": str(self.env["kubeconfig"])}

    def kubectl(self, *arguments: str) -> str:
        """Output of a kubectl that is not measured."""
        command = [str(self.env["bin"]["kubectl"]), *arguments]
        env = {**os.environ, "KUBECONFIG": str(self.env["kubeconfig"])}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    def kubectl_diff(self, folder: Path, *options: str, differs: bool = False) -> Cost:
        """What ``kubectl diff --server-side`` of all objects in ``folder`` costs."""
        command = ["kubectl", "diff", "--server-side", *options, "-f", str(folder)]
        env = {name: value for name, value in self.environment().items() if name != "KUBECTL_EXTERNAL_DIFF"}
        return self.meter.run(command, cwd=self.work, env=env, limit=LIMIT, good=1 if differs else 0)

    def prepare(self) -> None:
        """Write the charts and render each once."""
        charts.write(self.shapes, self.chart_folder)
        self.render(
            self.rendered, {s.name: self.chart_folder / s.name for s in self.shapes}, self.values(changed=False)
        )

    def render(self, folder: Path, sources: dict[str, Path], values: dict[str, dict[str, Any]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, chart in sources.items():
            command = [str(self.env["bin"]["helm4"]), "template", name, str(chart), "--namespace", name]
            done = subprocess.run(
                [*command, "--include-crds", "--no-hooks", "--values", "-"],
                input=json.dumps(values.get(name, {})),
                capture_output=True,
                text=True,
                check=True,
            )
            (folder / f"{name}.yaml").write_text(done.stdout, encoding="utf-8")

    def clean(self, namespaces: Sequence[str]) -> list[str]:
        """Wait until nothing of the benchmark is there, and delete what does not go: returned by name."""
        deadline = time.monotonic() + 60
        while True:
            left = self._left(namespaces)
            going = [name for name, deleted in left.items() if deleted]
            if not left or time.monotonic() > deadline:
                break
            if not going:
                self.kubectl("delete", "--wait=true", "--timeout=60s", *left)
            time.sleep(0.5)
        self.meter.settle()
        return sorted(left)

    def _left(self, namespaces: Sequence[str]) -> dict[str, bool]:
        """Names as kubectl takes them, and whether the object is being deleted already."""
        found: dict[str, bool] = {}
        for item in json.loads(self.kubectl("get", _SHARED, "-o", "json"))["items"]:
            kind, meta = item["kind"], item["metadata"]
            ours = kind in ("CustomResourceDefinition", "PersistentVolume")
            ours = ours or "helm.sh/chart" in (meta.get("labels") or {})
            if ours or (kind == "Namespace" and meta["name"] in namespaces):
                found[f"{kind.lower()}/{meta['name']}"] = "deletionTimestamp" in meta
        return found
