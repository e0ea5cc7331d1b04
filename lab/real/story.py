# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The story told by Slipway's playbooks: install, again, scale past a dead node, remove, upgrade, reset."""

from __future__ import annotations

from lab.binaries import KUBERNETES
from lab.errors import LabError
from lab.real import ground, kubespray, login, machine, modules, workload
from lab.real.kubespray import Outcome
from lab.real.model import Host, Run, hosts
from lab.real.parts import Parts
from lab.real.steps import Steps

OWN = "slipway.cluster."
REMAINS = ("/etc/kubernetes", "/var/lib/kubelet", "/var/lib/etcd", "/var/lib/containerd", "/etc/cni")
LOOK = 'for path; do ! [ -e "$path" ] || echo "$path"; done; pidof kubelet containerd kube-apiserver etcd || true'
VERSIONS = "{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion} {end}"


class Story:
    """One cluster from its first node on."""

    def __init__(self, run: Run, parts: Parts, steps: Steps) -> None:
        self._run, self._parts, self._steps = run, parts, steps

    def tell(self) -> None:
        """Run all of it.

        :raises LabError: when a playbook fails or a check does not hold.
        """
        workload.write_addon(self._run)
        self._ask_for(modules.EARLIER)
        self._play("install 1+1", "install")
        workload.verify(self._run, self._steps, 1)
        again = self._play("install again", "install")
        if changed := {host for host, counts in again.recap.items() if counts[1]}:
            raise LabError(f"a second install changed {', '.join(sorted(changed))}; see {again.log}")
        self._grow(hosts(1, 2), "scale to 1+2")
        workload.verify(self._run, self._steps, 2)
        with self._steps.step("w2's plug is pulled"):
            machine.stop(self._run, "w2", clean=False)
        self._grow(hosts(1, 3), "scale to 1+3 with w2 dead", but=("w2",))
        self._remove("w2", "the dead w2", "-e", "slipway_remove_unreachable=w2")
        self._remove("w3", "w3")
        self._upgrade()
        self._play("remove the cluster", "remove", "-e", f"slipway_remove_cluster={login.NAME}")
        with self._steps.step("nothing of the cluster is left on cp1, w1"):
            for host in ("cp1", "w1"):
                self._expect_bare(host)

    def _ask_for(self, kubernetes: str) -> None:
        self._run.kubernetes = kubernetes
        self._run.save()
        ground.describe(self._run, hosts(1, 1), self._parts)

    def _upgrade(self) -> None:
        """One patch up, both nodes; the add-on's pods answer before and after."""
        self._ask_for(KUBERNETES)
        self._play(f"upgrade {modules.EARLIER} to {KUBERNETES}", "upgrade")
        with self._steps.step("all is as new") as step:
            step.note = workload.kubectl(self._run, "get", "nodes", "-o", f"jsonpath={VERSIONS}")
            if step.note.split()[1::2] != [KUBERNETES] * 2:
                raise LabError(f"not all nodes run {KUBERNETES}: {step.note}")
        workload.verify(self._run, self._steps, 1)
        self._play("upgrade again", "upgrade")

    def _grow(self, wanted: list[Host], name: str, but: tuple[str, ...] = ()) -> None:
        """Add the last host; nobody may have logged in to the workers that were there before."""
        with self._steps.step(f"{wanted[-1].name} up"):
            ground.bring(self._run, [host for host in wanted if host.name not in but], self._parts)
            ground.describe(self._run, wanted, self._parts)
        others = [host.name for host in wanted[:-1] if not host.control_plane]
        before = {host: ground.connections(self._run, host) for host in others}
        self._play(name, "scale")
        with self._steps.step(f"nobody logged in to {', '.join(others)}"):
            for host in others:
                if count := ground.connections(self._run, host) - before[host]:
                    raise LabError(f"{count} connections came to {host}, which has nothing to do with it")

    def _remove(self, name: str, called: str, *consents: str) -> None:
        """Remove a worker; nobody may have logged in to the one that stays."""
        before = ground.connections(self._run, "w1")
        self._play(f"remove {called}", "remove", "-e", f"slipway_remove_nodes={name}", *consents)
        with self._steps.step(f"{name} is gone, and nobody logged in to w1"):
            if name in workload.nodes(self._run):
                raise LabError(f"{name} is still a node")
            if name in self._run.machines:
                self._expect_bare(name)
            if count := ground.connections(self._run, "w1") - before:
                raise LabError(f"{count} connections came to w1, which has nothing to do with it")
        machine.destroy(self._run, name)
        left = [host for host in hosts(1, 3) if self._run.root(host.name).exists()]
        ground.describe(self._run, left, self._parts)

    def _expect_bare(self, host: str) -> None:
        left = machine.execute(self._run, host, ["sh", "-c", LOOK, "sh", *REMAINS]).split()
        if left:
            raise LabError(f"{host} still has {', '.join(left)}")

    def _play(self, name: str, playbook: str, *arguments: str) -> Outcome:
        with self._steps.step(name) as step:
            log = name.replace(" ", "-")
            outcome = kubespray.play(self._run, self._parts.python, f"{OWN}{playbook}", *arguments, log=log)
            step.note = str(outcome)
        return outcome
