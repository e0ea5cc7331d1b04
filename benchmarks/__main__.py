# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python -m benchmarks``: the same add-ons by Slipway, helmfile and Ansible tasks, by turns on one lab."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import yaml

from benchmarks import goals, page, peers, picture, planning, results, twenty
from benchmarks.contestants import STEPS, Contestant, Helmfile, Slipway, Tasks
from benchmarks.drift import Drift
from benchmarks.ground import ROOT, Ground
from benchmarks.measure import Meter
from benchmarks.results import Results
from lab import binaries, cluster, paths, pythons, report

NAME = "bench"
NODES = 5
WORK = ROOT / ".build" / "bench"
FILE = WORK / "results.json"
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.svg"
PARTS = ("planning", "addons", "drift")
ENOUGH = 5


def main() -> int:
    options = _options()
    chosen: list[type[Contestant]] = [Slipway]
    if "helmfile" in options.peers:
        Helmfile.program = peers.helmfile(_say)
        chosen.append(Helmfile)
    if "tasks" in options.peers:
        Tasks.python = pythons.environment("peers", _say)
        chosen.append(Tasks)
    _say(f"lab {NAME} with {NODES} nodes, contestants: {', '.join(c.name for c in chosen)}")
    state = cluster.up(NAME, NODES, audit_bodies=False, say=_say)
    try:
        env = json.loads((paths.lab_dir(NAME) / report.ENV_FILE).read_text(encoding="utf-8"))
        processes = {name: state.processes[name].pid for name in ("kube-apiserver", "etcd", "kube-controller-manager")}
        meter = Meter(processes, Path(env["audit_log"]), "lab-admin", WORK)
        ground = Ground(env, WORK, meter, twenty.TWENTY)
        ground.prepare()
        Helmfile.has_diff = _has_helm_diff(ground)
        measured = _measure(ground, chosen, options)
    finally:
        cluster.down(NAME)
    _report(measured, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    default = ["tasks", *(["helmfile"] if peers.has_helmfile() else [])]
    parser.add_argument("--rounds", type=int, default=ENOUGH, help="rounds (default: %(default)s)")
    parser.add_argument("--peers", type=_listed, default=default, help="of helmfile,tasks (default: %(default)s)")
    parser.add_argument("--parts", type=_listed, default=list(PARTS), help=f"of {','.join(PARTS)} (default: all)")
    parser.add_argument("--resume", action="store_true", help="go on with the last run that was broken off")
    options = parser.parse_args()
    for given, known in ((options.peers, ("helmfile", "tasks")), (options.parts, PARTS)):
        unknown = sorted(set(given) - set(known))
        if unknown:
            parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return options


def _listed(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _measure(ground: Ground, chosen: list[type[Contestant]], options: argparse.Namespace) -> Results:
    about = {
        "rounds": options.rounds,
        "machine": results.machine(),
        "versions": _versions(ground, chosen),
        "content": _content(ground),
    }
    found = results.load(FILE) if options.resume else None
    same = found is not None and {k: v for k, v in found.about.items() if k != "date"} == about
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    measured = found if found is not None and same else Results({"date": today, **about})
    if "planning" in options.parts and not measured.planning:
        measured.planning = planning.measure()
        measured.save(FILE)
    if "addons" in options.parts:
        _turns(ground, chosen, measured, options.rounds)
    if "drift" in options.parts and not measured.drift:
        for sample in Drift(ground).measure(options.rounds, _say):
            measured.add_drift(sample["who"], sample["state"], sample["round"], sample["cost"])
        measured.save(FILE)
    return measured


def _turns(ground: Ground, chosen: list[type[Contestant]], measured: Results, rounds: int) -> None:
    """Everybody in every round, each time in another order."""
    namespaces = [*(s.name for s in ground.shapes), "slipway-system"]
    ground.clean(namespaces)
    for number in range(rounds):
        turn = number % len(chosen)
        for kind in (*chosen[turn:], *chosen[:turn]):
            if measured.done(kind.name, number):
                continue
            measured.forget(kind.name, number)
            contestant = kind(ground)
            for step in STEPS:
                cost = contestant.do(step)
                if cost is not None:
                    measured.add(kind.name, step, number, cost)
                    _say(f"round {number + 1} of {rounds}, {kind.name}, {step}: {cost.seconds:.1f} s")
                if kind is Slipway and step == "install":
                    cost = contestant.do("start")
                    if cost is not None:
                        measured.add(kind.name, "start", number, cost)
                if kind is Slipway and step == "drift":
                    cost = ground.kubectl_diff(ground.rendered, "--force-conflicts", differs=True)
                    measured.add("kubectl", step, number, cost)
                measured.save(FILE)
            left = ground.clean(namespaces)
            if left:
                _say(f"left by {kind.name}, removed: {', '.join(left)}")
            measured.save(FILE)


def _content(ground: Ground) -> dict[str, int]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    files = sorted(ground.rendered.glob("*.yaml"))
    found = [obj for file in files for obj in yaml.load_all(file.read_text(encoding="utf-8"), loader) if obj]
    kinds = {(obj["apiVersion"].rpartition("/")[0], obj["kind"]) for obj in found} | {("", "Namespace")}
    return {
        "addons": len(ground.shapes),
        "objects": len(found) + len(ground.shapes),
        "crds": sum(1 for obj in found if obj["kind"] == "CustomResourceDefinition"),
        "kinds": len(kinds),
        "kib": sum(file.stat().st_size for file in files) // 1024,
    }


def _versions(ground: Ground, chosen: list[type[Contestant]]) -> dict[str, str]:
    def helm(name: str) -> str:
        command = [str(ground.env["bin"][name]), "version", "--template", "{{.Version}}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.lstrip("v")

    found = {
        "Kubernetes": binaries.KUBERNETES.lstrip("v"),
        "Helm": helm("helm4"),
        "ansible-core": version("ansible-core"),
    }
    if Helmfile in chosen:
        plugin = "with" if Helmfile.has_diff else "without"
        found["helmfile"] = f"{peers.HELMFILE.version} {plugin} helm-diff"
    if Tasks in chosen:
        listed = next(
            Tasks.python.parent.parent.glob("lib/*/site-packages/ansible_collections/kubernetes/core/MANIFEST.json")
        )
        collection = json.loads(listed.read_text(encoding="utf-8"))["collection_info"]["version"]
        found["kubernetes.core"] = f"{collection} with Helm {helm('helm3')}"
    return found


def _has_helm_diff(ground: Ground) -> bool:
    command = [str(ground.env["bin"]["helm4"]), "plugin", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return re.search(r"^diff\s", listed, re.MULTILINE) is not None


def _report(measured: Results, options: argparse.Namespace) -> None:
    reached = goals.goals(measured)
    tables = [page.steps_table(measured)] if measured.samples else []
    tables += [page.drift_table(measured)] if measured.drift else []
    tables += [page.planning_table(measured)] if measured.planning else []
    for rows in (*tables, page.goals_table(reached)):
        print(f"\n{page.screen(rows)}")
    for line in page.missed(reached):
        print(f"  {line}")
    print(f"\nall samples: {FILE.relative_to(ROOT)}")
    if options.rounds < ENOUGH or len(measured.contestants) < 3 or set(options.parts) != set(PARTS):
        print(f"docs/performance.md is left as it is: that takes {ENOUGH} rounds of everything")
        return
    picture.write(PICTURE, measured)
    page.write(PAGE, measured, reached)
    print("written: docs/performance.md and its picture")


_began = time.monotonic()


def _say(line: str) -> None:
    print(f"[{time.monotonic() - _began:5.0f} s] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
