# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python -m benchmarks``: the engine beside Helm on one lab, pair by pair, medians and ratios.

Both sides install the same charts with the same values on the same API server. Ours is the wall time of
``ansible-playbook`` (Ansible's own start included), Helm's that of its commands, four at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import planning
from lab import cluster, paths, report

ROOT = Path(__file__).resolve().parent.parent
NAME = "bench"
CHARTS = ("storage", "certs", "gateway", "metrics", "logs", "log-agent", "dashboard", "policy", "metrics-api")
FIRST = ("storage", "certs")
STEPS = ("install", "again", "remove")


@dataclass
class Side:
    """Seconds by step; ``run`` does one step."""

    title: str
    run: Callable[[str], None]
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, step: str) -> None:
        began = time.monotonic()
        self.run(step)
        self.seconds.setdefault(step, []).append(time.monotonic() - began)


class Bench:
    """``env`` is the lab's env.json; ``folder`` holds a throw-away inventory."""

    def __init__(self, env: dict[str, object], folder: Path) -> None:
        self._bin = Path(str(env["bin_dir"]))
        self._folder = folder
        self._env = {
            **os.environ,
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "KUBECONFIG": str(env["kubeconfig"]),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        }
        folder.mkdir(parents=True, exist_ok=True)
        variables = {
            "slipway_name": "bench",
            "slipway_kubeconfig": str(env["kubeconfig"]),
            "slipway_addons": {n: {"chart": {"path": str(ROOT / "lab/charts" / n)}, "namespace": n} for n in CHARTS},
        }
        host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = {"all": {"hosts": {"localhost": host}, "vars": variables}}
        (folder / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")

    def slipway(self, step: str) -> None:
        playbook = "remove" if step == "remove" else "install"
        names = ",".join(CHARTS)
        consent = {
            "slipway_remove_addons": names,
            "slipway_remove_pvcs": names,
            "slipway_remove_kept": names,
            "slipway_remove_crds": "certs=0,metrics=0,policy=0",
        }
        extra = ["-e", json.dumps(consent)] if step == "remove" else []
        program = str(Path(sys.executable).parent / "ansible-playbook")
        self._run([program, "-i", "hosts.json", f"slipway.cluster.{playbook}", *extra])

    def helm(self, step: str) -> None:
        def one(name: str) -> None:
            if step == "remove":
                self._run(["helm", "uninstall", name, "--namespace", name, "--wait"])
            else:
                chart = str(ROOT / "lab" / "charts" / name)
                where = ["--namespace", name, "--create-namespace", "--wait", "--timeout=60s"]
                self._run(["helm", "upgrade", "--install", name, chart, *where])

        with ThreadPoolExecutor(4) as pool:
            # Who brings CRDs goes first: Helm has no graph, so a user of Helm writes the order down.
            for names in (FIRST, tuple(name for name in CHARTS if name not in FIRST)):
                list(pool.map(one, names))
        if step == "remove":
            kubectl = ["kubectl", "delete", "--ignore-not-found"]
            self._run([*kubectl, "namespace", *CHARTS])
            self._run([*kubectl, "crd", "--all"])

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command[:4])} … ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs (default: %(default)s)")
    runs = parser.parse_args().runs
    planning.run()
    cluster.up(NAME, None, audit_bodies=False, say=lambda line: print(f"lab: {line}", file=sys.stderr))
    try:
        env = json.loads((paths.lab_dir(NAME) / report.ENV_FILE).read_text(encoding="utf-8"))
        bench = Bench(env, ROOT / ".build" / "bench")
        sides = (Side("slipway", bench.slipway), Side("helm, 4 at a time", bench.helm))
        for _ in range(runs):
            for side in sides:
                for step in STEPS:
                    side.measure(step)
        _table(sides, runs)
    finally:
        cluster.down(NAME)
    return 0


def _table(sides: tuple[Side, Side], runs: int) -> None:
    print(f"\n{len(CHARTS)} charts on the embedded lab, wall seconds, median (min to max) of {runs}")
    print(f"{'step':<10} {sides[0].title:>22} {sides[1].title:>22}   ratio")
    for step in STEPS:
        cells, medians = [], []
        for side in sides:
            times = side.seconds[step]
            medians.append(statistics.median(times))
            cells.append(f"{medians[-1]:6.2f} ({min(times):.2f} to {max(times):.2f})")
        print(f"{step:<10} {cells[0]:>22} {cells[1]:>22}   {medians[0] / medians[1]:.2f}")


if __name__ == "__main__":
    raise SystemExit(main())
