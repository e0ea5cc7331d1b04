# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The story told by Slipway's playbooks: install, again, scale past a dead node, image, upgrade, remove, reset."""

from __future__ import annotations

from lab.binaries import KUBERNETES
from lab.errors import LabError
from lab.real import golden, ground, kubespray, login, machine, modules, workload
from lab.real.kubespray import Outcome
from lab.real.model import WORKERS, Host, Run, hosts
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
        self._image("w3", "w4")
        self._upgrade()
        self._remove("w4", "w4")
        self._play("remove the cluster", "remove", "-e", f"slipway_remove_cluster={login.NAME}")
        with self._steps.step("nothing of the cluster is left on cp1, w1"):
            for host in ("cp1", "w1"):
                self._expect_bare(host)

    def _ask_for(self, kubernetes: str) -> None:
        self._run.kubernetes = kubernetes
        self._run.save()
        self._describe()

    def _describe(self) -> None:
        """The inventory has all hosts that there are."""
        there = [host for host in hosts(1, WORKERS) if self._run.root(host.name).exists()]
        ground.describe(self._run, there, self._parts)

    def _image(self, source: str, name: str) -> None:
        """A worker becomes an image, and its copy a node like others, whom nobody logs in to."""
        run, host = self._run, next(one for one in hosts(1, WORKERS) if one.name == name)
        before = golden.looks(run, source)
        scaled = next(step for step in reversed(self._steps.done) if step.name.startswith("scale to 1+3"))
        consent = ["-e", f"slipway_image_host={source}", "-e", f"slipway_seal_host={source}"]
        self._play(f"image of {source}", "image", *consent, "-e", f"slipway_image_dir={golden.images(run)}")
        with self._steps.step(f"{name} is a copy of it"):
            golden.prepare(run, self._parts, source, host)
            ground.describe(run, [*hosts(1, 1), host], self._parts)
        w1, watch = ground.connections(run, "w1"), golden.Watch(run, name)
        watch.start()
        self._play(f"scale: {name} out of the image", "scale")
        golden.adopt(run)
        with self._steps.step("from the machine's start to Ready") as step:
            ratio = watch.seconds / scaled.seconds
            step.note = f"{watch.seconds:.1f} s; by Kubespray's scale {scaled.seconds:.1f} s; ratio {ratio:.3f}"
        with self._steps.step(f"nobody logged in to {name} and w1"):
            if golden.logins(run, name) or ground.connections(run, "w1") != w1:
                raise LabError("somebody logged in to a worker")
        with self._steps.step(f"{name} is as {source} was"):
            golden.compare(run, before, name)
        workload.verify(run, self._steps, 2)
        again = self._play("install with it", "install")
        if changed := {host for host, counts in again.recap.items() if counts[1]}:
            raise LabError(f"a second install changed {', '.join(sorted(changed))}; see {again.log}")

    def _upgrade(self) -> None:
        """One patch up, all nodes; the add-on's pods answer before and after."""
        self._ask_for(KUBERNETES)
        self._play(f"upgrade {modules.EARLIER} to {KUBERNETES}", "upgrade")
        with self._steps.step("all is as new") as step:
            step.note = workload.kubectl(self._run, "get", "nodes", "-o", f"jsonpath={VERSIONS}")
            if step.note.split()[1::2] != [KUBERNETES] * 3:
                raise LabError(f"not all nodes run {KUBERNETES}: {step.note}")
        workload.verify(self._run, self._steps, 2)
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
        self._describe()

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
