# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python -m benchmarks.nodes``: what it costs to add one node to clusters of several sizes, and a run without work.

On the lab with its stand-in for Kubespray. The existing workers are addresses of one machine, whose sshd counts, and
some where nobody listens; the node that is added has a machine of its own. Beside the no-op install stands Kubespray's
own ``boilerplate`` on the same inventory: where Kubespray is installed both are read from the real one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from benchmarks.results import machine
from lab import authority, cluster, paths, pythons, report
from lab.api import Api
from lab.hosts import log, manage
from lab.real import kubespray as real
from lab.state import load

NAME = "bench-nodes"
ROOT = Path(__file__).resolve().parent.parent
STANDIN = ROOT / ".build" / "lab-collections"
SIZES = (5, 50, 500)
DEAD = 10
GOAL_RATIO, GOAL_NO_OP = 1.2, 0.2


@dataclass(frozen=True)
class Run:
    """``seconds`` of wall time, ``cpu`` of the processes of Ansible alone, ``server`` of the API server meanwhile."""

    seconds: float
    cpu: float
    server: float


class Bench:
    """One lab with a cluster of ``size`` workers, ``dead`` more that do not answer, and one host to be added."""

    def __init__(self, size: int, dead: int, folder: Path) -> None:
        self._folder = folder
        self._lab("up", "--no-cluster")
        gone = ("--dead", str(dead)) if dead else ()
        self._lab("machines", "1", "2", str(folder / "all"), "--counted", str(size - 1), *gone)
        self._env: dict[str, Any] = json.loads((paths.lab_dir(NAME) / report.ENV_FILE).read_text(encoding="utf-8"))
        self._key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key)], check=True)
        self._ca = authority.set_up(self._env)
        self.everybody: dict[str, Any] = yaml.safe_load((folder / "all" / "hosts.yml").read_text(encoding="utf-8"))
        workers = list(self.everybody["all"]["children"]["kube_node"]["hosts"])
        self.first, self.new = workers[-2:]
        self.old = workers[:-2]

    def build(self, kubespray: Path = STANDIN) -> None:
        """The cluster without the new node: two hosts by the stand-in, the others by the API, then adopted as what
        ``kubespray`` would have built."""
        self.play("install", self._without(*self.old, self.new))
        self._lab("enrol")
        api = self._api()
        api.need("DELETE", "/api/v1/namespaces/slipway-system/configmaps/slipway-cluster")
        api.close()
        self.play("install", self.existing, "-e", f"slipway_adopt_cluster={NAME}", kubespray=kubespray)

    @property
    def existing(self) -> Path:
        return self._without(self.new)

    @property
    def whole(self) -> Path:
        return self._without()

    def play(self, playbook: str, inventory: Path, *words: str, kubespray: Path = STANDIN) -> Run:
        """Ours by its short name, any by its full one. Raises SystemExit when it fails."""
        public = self._key.with_suffix(".pub").read_text(encoding="utf-8").strip()
        signed = self._ca.sign_user(public, authority.principal(self._env), "15m")
        Path(f"{self._key}-cert.pub").write_text(f"{signed}\n", encoding="utf-8")
        python = Path(sys.executable) if kubespray == STANDIN else pythons.environment("kubespray", print)
        full = playbook if "." in playbook else f"slipway.cluster.{playbook}"
        command = [
            str(python),
            "-m",
            "ansible",
            "playbook",
            "-i",
            str(inventory),
            "--private-key",
            str(self._key),
            full,
        ]
        return self._timed([*command, *words], self._environment(kubespray))

    def connections(self) -> dict[str, int]:
        """Since the lab began, by kind of host: ``control plane`` and ``existing workers``."""
        hosts = manage.find(NAME)
        counted = log.all_connections(hosts.values())
        return {
            "control plane": counted.get("control1", 0),
            "existing workers": sum(counted.get(name, 0) for name in (*self.old, self.first)),
        }

    def _timed(self, command: list[str], env: dict[str, str]) -> Run:
        server, before = self._server_cpu(), resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        done = subprocess.run(
            command, env=env, cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Run(seconds, cpu, self._server_cpu() - server)

    def _without(self, *names: str) -> Path:
        """The inventory, and what is the same for all hosts."""
        content = json.loads(json.dumps(self.everybody))
        for name in names:
            content["all"]["hosts"].pop(name, None)
            content["all"]["children"]["kube_node"]["hosts"].pop(name, None)
        content["all"]["vars"] |= {"slipway_name": NAME, "ansible_become": True, "slipway_api_forward": True}
        folder = self._folder / f"without-{len(names)}"
        folder.mkdir(exist_ok=True)
        (folder / "hosts.yml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return folder

    def _environment(self, kubespray: Path) -> dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / '.build' / 'collections'}:{kubespray}",
            "PYTHONPATH": "",
            "ANSIBLE_HOST_KEY_CHECKING": "0",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_USETTY": "0",
        }

    def _server_cpu(self) -> float:
        """Seconds of the API server and etcd."""
        current = load(paths.lab_dir(NAME))
        ticks = 0
        for service in ("apiserver", "etcd"):
            process = current.processes.get(service) if current else None
            if process is not None:
                fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _api(self) -> Api:
        current = load(paths.lab_dir(NAME))
        if current is None:
            raise SystemExit("the lab is gone")
        return Api(current.ports["apiserver"], paths.lab_dir(NAME) / "pki")

    def _lab(self, *words: str) -> None:
        command = [sys.executable, "-m", "lab", *words, "--name", NAME]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nodes", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="existing workers (default: %(default)s)")
    parser.add_argument("--no-op", type=int, default=99, help="workers of the no-op install (default: %(default)s)")
    options = parser.parse_args()
    print(json.dumps(machine()))
    taken: dict[int, float] = {}
    for size in map(int, options.sizes.split(",")):
        for dead in (0, DEAD):
            taken[size] = _scale(size, dead) if not dead else (taken[size], _scale(size, dead))[0]
    smallest, largest = min(taken), max(taken)
    print(f"adding one to {largest} : to {smallest} = {taken[largest] / taken[smallest]:.2f} (goal {GOAL_RATIO})")
    _no_op(options.no_op)
    return 0


def _scale(size: int, dead: int) -> float:
    """Seconds, without those of the API server and etcd."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            bench = Bench(size, dead, Path(folder))
            bench.build()
            before = bench.connections()
            run = bench.play("scale", bench.whole)
            visits = {kind: count - before[kind] for kind, count in bench.connections().items()}
        finally:
            cluster.down(NAME)
    workers = f"{size} workers" + (f" and {dead} dead" if dead else "")
    print(
        f"1 to {workers:<22} {run.seconds:6.1f} s  Ansible {run.cpu:5.1f} CPU s  "
        f"API server and etcd {run.server:4.1f} CPU s  connections: existing workers {visits['existing workers']}, "
        f"control plane {visits['control plane']}",
        flush=True,
    )
    return run.seconds - run.server


def _no_op(workers: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            bench = Bench(workers, 0, Path(folder))
            kubespray, whose = _installed()
            bench.build(kubespray)
            pairs = [
                tuple(
                    bench.play(playbook, bench.existing, kubespray=kubespray)
                    for playbook in ("install", "kubernetes_sigs.kubespray.boilerplate")
                )
                for _round in range(3)
            ]
        finally:
            cluster.down(NAME)
    ours, theirs = ([pair[place] for pair in pairs] for place in (0, 1))
    wall, cpu = (
        median(getattr(one, what) for one in ours) / median(getattr(one, what) for one in theirs)
        for what in ("seconds", "cpu")
    )
    print(f"no-op install, {workers + 1} hosts: {_told(ours)}; {whose} boilerplate: {_told(theirs)}")
    print(f"no-op : boilerplate = {wall:.2f} (goal {GOAL_NO_OP} of the real one), by CPU {cpu:.2f}")


def _told(runs: list[Run]) -> str:
    return f"{median(run.seconds for run in runs):.1f} s, {median(run.cpu for run in runs):.1f} CPU s"


def _installed() -> tuple[Path, str]:
    try:
        return real.find(), "Kubespray's"
    except real.NotInstalledError:
        return STANDIN, "the stand-in's"


if __name__ == "__main__":
    sys.exit(main())
