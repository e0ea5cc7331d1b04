# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The story told by Kubespray's own playbooks: what the lab can do without the collection, and the times to compare."""

from __future__ import annotations

from lab.real import ground, kubespray, workload
from lab.real.model import Run, hosts
from lab.real.parts import Parts
from lab.real.steps import Steps

OWN = "kubernetes_sigs.kubespray."


def tell(run: Run, parts: Parts, steps: Steps) -> None:
    """Cluster, again, one more worker, one less, gone.

    :raises LabError: when a playbook fails or a check does not hold.
    """

    def play(name: str, playbook: str, *arguments: str) -> None:
        with steps.step(name) as step:
            log = name.replace(" ", "-")
            step.note = str(kubespray.play(run, parts.python, f"{OWN}{playbook}", *arguments, log=log))

    play("cluster 1+1", "cluster")
    workload.apply(run)
    workload.verify(run, steps, 1)
    play("cluster again", "cluster")
    with steps.step("third host up"):
        ground.bring(run, hosts(1, 2), parts)
    play("scale to 1+2", "scale", "--limit", "w2")
    workload.verify(run, steps, 2)
    play("remove node w2", "remove_node", "-e", "node=w2", "-e", "skip_confirmation=yes")
    play("reset", "reset", "-e", "reset_confirmation=yes", "-e", "skip_confirmation=yes")
