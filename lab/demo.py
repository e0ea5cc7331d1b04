# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``make demo``: the main job end to end on a lab of its own, with the playbooks that users run.

Everything on screen is what ``ansible-playbook`` prints; the demo only types the commands, changes one file as a
user would, compares the cluster's objects before and after, and looks for private keys all the while.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lab import authority, cluster, paths, report
from lab.errors import LabError
from lab.hosts import inventory, manage
from lab.keyscan import MARK, KeyScan

ROOT = Path(__file__).resolve().parent.parent
NAME = "demo"
CONTROL_PLANE, WORKERS, LATER = "control1", ("worker1", "worker2"), "worker3"
PLAYBOOK = "slipway.cluster"
# Where a session may have its folder.
_SESSIONS = [
    (Path(folder), "slipway-????????")
    for folder in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm", tempfile.gettempdir())
    if folder
]
_WITHOUT_ADDONS = {
    f"namespace/{name}"
    for name in ("default", "kube-node-lease", "kube-public", "kube-system", "slipway-access", "slipway-system")
}


def run(*, keep: bool, say: Callable[[str], None]) -> None:
    """Raises LabError when a step does not end as it should. ``keep`` leaves lab and add-ons up."""
    began = time.monotonic()
    cluster.up(NAME, None, audit_bodies=False, empty=True, say=say)
    try:
        manage.add(NAME, [CONTROL_PLANE, *WORKERS, LATER], "trusted", control_planes=1, say=say)
        demo = Demo(json.loads((paths.lab_dir(NAME) / report.ENV_FILE).read_text(encoding="utf-8")))
        demo.play(keep=keep)
    finally:
        if not keep:
            cluster.down(NAME)
    _say(f"done in {time.monotonic() - began:.0f} s" + ("" if keep else "; the lab is gone"))
    if keep:
        _say(f"the lab stays: . {paths.lab_dir(NAME) / 'lab.env'}   (python -m lab down --name {NAME})")


class Demo:
    """``env`` is the lab's env.json."""

    def __init__(self, env: Mapping[str, object]) -> None:
        self._lab = env
        self._kubeconfig = str(env["kubeconfig"])
        self._bin = Path(str(env["bin_dir"]))
        self._authority = authority.set_up(env)
        self._scans: list[KeyScan] = []
        self._folder = ROOT / ".build" / "demo"
        self._env = {
            **os.environ,
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "BAO_ADDR": str(env["bao_address"]),
            "SLIPWAY_LAB_REPO": str(env["repo_url"]),
            MARK: NAME,
            "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / '.build' / 'collections'}:{ROOT / '.build' / 'lab-collections'}",
        }

    def play(self, *, keep: bool) -> None:
        folder = self._copy_inventory()
        self._write_hosts(folder, *WORKERS)
        _step(
            "Three hosts without a cluster: OpenBao signs certificates of a minute, no key or kubeconfig is on a disk"
        )
        self._ansible("plan")
        _step("One run: nodes, cluster, and 17 add-ons of four kinds of source in the order of what they need")
        self._ansible("install")
        _step("Again: nothing to do; no task of Kubespray and no Helm process is started to find that out")
        self._ansible("install")

        _step("A user changes one shared value")
        self._edit(folder / "group_vars" / "all" / "values.yml", "retention: 7d", "retention: 14d")
        self._ansible("plan")
        _step("Exactly that is applied")
        self._ansible("install")

        _step("A host more in the inventory: that one is visited, and add-ons that count nodes follow")
        self._write_hosts(folder, *WORKERS, LATER)
        self._ansible("scale")

        _step("Somebody scales and patches by kubectl: the next look says what, who and when")
        self._kubectl("-n", "portal", "scale", "deployment", "portal", "--replicas=5")
        self._kubectl("-n", "dashboard", "set", "image", "deployment/dashboard", "*=registry.example/hotfix:1")
        self._ansible("plan")
        _step("What is there")
        self._ansible("status")
        if keep:
            return

        _step("The node goes: drained within its budgets, reset, forgotten")
        # One add-on follows the number of workers, and calls it unsafe to go down.
        self._ansible("remove", "-e", f"slipway_remove_nodes={LATER}", "-e", "slipway_scale_down=logs")
        self._write_hosts(folder, *WORKERS)
        _step("All add-ons go: dependents first, volumes and CRDs only by consent")
        names = self._installed()
        consent = {
            "slipway_remove_addons": names,
            "slipway_remove_pvcs": names,
            "slipway_remove_crds": {"certs": 0, "metrics": 0, "policy": 0},
            "slipway_remove_kept": names,
        }
        self._ansible("remove", "-e", json.dumps(consent))
        left = self._left_behind()
        if left:
            raise LabError(f"left behind: {', '.join(sorted(left))}")
        _say("no object of any add-on is left")
        _step("The cluster goes, by its name")
        self._ansible("remove", "-e", "slipway_remove_cluster=lab")
        self._tell_of_keys()

    def _tell_of_keys(self) -> None:
        scans = self._scans
        looks, processes = sum(s.looks for s in scans), sum(len(s.processes) for s in scans)
        files = len(set().union(*(s.files for s in scans)))
        found = sorted(set().union(*(s.found for s in scans)))
        if found:
            raise LabError(f"private keys were seen in {', '.join(found)}")
        if not processes or not files:
            raise LabError("the search for private keys saw nothing at all")
        _say(
            f"{len(scans)} runs logged in by certificates of one minute; {looks} looks at {files} files of their "
            f"folders and of {processes} processes: no private key in any of them"
        )

    def _copy_inventory(self) -> Path:
        """The demo edits a file; that is not to be the repository's own."""
        shutil.rmtree(self._folder, ignore_errors=True)
        target = self._folder / "inventories" / "lab"
        shutil.copytree(ROOT / "inventories" / "lab", target)
        (self._folder / "lab").symlink_to(ROOT / "lab")
        shutil.copyfile(ROOT / "lab" / "demo_access.yml", target / "group_vars" / "all" / "access.yml")
        return target

    def _write_hosts(self, folder: Path, *workers: str) -> None:
        hosts = manage.find(NAME)
        inventory.write_cluster(folder, [hosts[name] for name in (CONTROL_PLANE, *workers)], {})
        print(f"  inventories/lab/hosts.yml:  {', '.join((CONTROL_PLANE, *workers))}", flush=True)

    def _edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise LabError(f"{path} does not say {old!r} any more")
        path.write_text(text.replace(old, new), encoding="utf-8")
        print(f"  {path.relative_to(self._folder)}:  {old}  ->  {new}", flush=True)

    def _ansible(self, playbook: str, *more: str) -> None:
        shown = shlex.join(["ansible-playbook", "-i", "inventories/lab", f"{PLAYBOOK}.{playbook}", *more])
        print(f"\n$ {shown}", flush=True)
        program = Path(sys.executable).parent / "ansible-playbook"
        command = [str(program), "-i", "inventories/lab", f"{PLAYBOOK}.{playbook}", *more]
        role, secret = self._authority.app_role()
        credential = {"SLIPWAY_LAB_ROLE_ID": role, "SLIPWAY_SECRET_ID": secret}
        folders = (self._folder, Path(os.environ.get("ANSIBLE_HOME", Path.home() / ".ansible")))
        with KeyScan(NAME, folders, _SESSIONS) as scan:
            done = subprocess.run(
                command, cwd=self._folder, env=self._env | credential, stdin=subprocess.DEVNULL, check=False
            )
        self._scans.append(scan)
        if done.returncode != 0:
            raise LabError(f"{PLAYBOOK}.{playbook} ended with {done.returncode}")

    def _kubectl(self, *arguments: str) -> str:
        print(f"\n$ kubectl {' '.join(arguments)}", flush=True)
        return self._quietly(*arguments)

    def _quietly(self, *arguments: str) -> str:
        command = [str(self._bin / "kubectl"), "--kubeconfig", self._kubeconfig, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _installed(self) -> list[str]:
        found = self._quietly(
            "-n", "slipway-system", "get", "configmap", "-l", "slipway.cluster/record=release",
            "-o", r"jsonpath={.items[*].metadata.labels.slipway\.cluster/addon}",
        )  # fmt: skip
        return found.split()

    def _left_behind(self) -> list[str]:
        """Namespaces and CRDs that no cluster without add-ons has: whatever else there was lay in one of these."""
        found = self._quietly("get", "namespaces,customresourcedefinitions", "-o", "name").split()
        return [name for name in found if name not in _WITHOUT_ADDONS]


def _step(text: str) -> None:
    print(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def _say(text: str) -> None:
    print(f"\ndemo: {text}", flush=True)
