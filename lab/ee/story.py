# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The steps: built, looked at, and jobs in it as AWX runs them, against the lab's API server."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import cluster, paths, report
from lab.cache import Say
from lab.ee import build, content
from lab.ee.job import Job
from lab.ee.podman import Podman
from lab.ee.project import CLUSTER, VARIABLES, Project
from lab.errors import LabError
from lab.real.steps import Steps

NEVER_READY = {"podLabels": {"lab.slipway/fault": "never-ready"}}
PATIENCE = 120.0


@dataclass
class Story:
    """``folder`` has everything that is made, ``lab`` is the name of the lab whose API server is used."""

    podman: Podman
    folder: Path
    lab: str
    steps: Steps
    say: Say
    image: str = ""
    jobs: list[Job] = field(default_factory=list)

    def tell(self) -> None:
        """Do all of it.

        :raises LabError: at the first thing that is not as it should be.
        """
        self._make()
        self._look()
        with self.steps.step("an API server to work with: the lab"):
            cluster.up(self.lab, 2, audit_bodies=False, say=self.say)
        env = json.loads((paths.lab_dir(self.lab) / report.ENV_FILE).read_text(encoding="utf-8"))
        project = Project(self.podman, self.image, self.folder / "project", env)
        with self.steps.step("a project repository, by slipway.cluster.new in the image") as step:
            step.note = f"{len(project.make())} playbooks in slipway/"
        self._work(project)
        inventory = self._cancel(project)
        with self.steps.step("job slipway/plan.yml as in a container group: no mount, no root") as step:
            job = self._job(project, inventory, "plan")
            step.note = _line(job.stream(), rf"PLAN {CLUSTER} .* 2 add-ons: 2 unchanged")

    def _make(self) -> None:
        with self.steps.step("built by ansible-builder from the definition that users have") as step:
            self.image = build.build(self.podman, self.folder / "build", self.folder / "build.log", self.say)
            size = int(self.podman.run("image", "inspect", "--format={{.Size}}", self.image))
            step.note = f"{size / 1e6:.0f} MB, log {self.folder / 'build.log'}"

    def _look(self) -> None:
        with self.steps.step("ansible-galaxy collection list") as step:
            found = content.collections(self.podman, self.image)
            named = ("slipway.cluster", "kubernetes_sigs.kubespray")
            step.note = f"{len(found)}, of them {', '.join(f'{name} {found[name]}' for name in named)}"
        with self.steps.step("ansible-doc slipway.cluster.addons") as step:
            step.note = f"{content.page(self.podman, self.image, 'slipway.cluster.addons')} options"
        with self.steps.step("programs") as step:
            versions = content.programs(self.podman, self.image)
            step.note = ", ".join(f"{name} {version}" for name, version in versions.items())
        with self.steps.step("a file that is written among the collections is seen"):
            content.check_watch(self.podman, self.image)

    def _work(self, project: Project) -> None:
        inventory = project.write({"portal": project.addon({})})
        for operation, expected in (
            ("plan", rf"PLAN {CLUSTER} .* 1 add-on: 1 install"),
            ("install", r"portal +ready"),
            ("plan", rf"PLAN {CLUSTER} .* 1 add-on: 1 unchanged"),
            ("status", r"portal"),
        ):
            with self.steps.step(f"job slipway/{operation}.yml") as step:
                job = self._job(project, inventory, operation)
                step.note = _line(job.finish(job.start()), expected)

    def _cancel(self, project: Project) -> dict[str, Any]:
        """An installation is cancelled, and done by the next job; the inventory of that."""
        addons = {"portal": project.addon({}), "shop": project.addon(NEVER_READY) | {"namespace": "shop"}}
        inventory = project.write(addons)
        with self.steps.step("job slipway/install.yml with an add-on that is never ready, until it waits"):
            job = self._job(project, inventory, "install")
            process = job.start()
            deadline = time.monotonic() + PATIENCE
            while not re.search(r"shop +(waiting|applied|applying)", job.output):
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    job.finish(process)
                time.sleep(0.2)
        with self.steps.step("it is cancelled") as step:
            step.note = f"{job.cancel(process)} processes ended by podman kill, none is left"
        inventory = project.write(addons | {"shop": project.addon({}) | {"namespace": "shop"}})
        with self.steps.step("the next job slipway/install.yml waits for the dead one's lock, and goes on") as step:
            job = self._job(project, inventory, "install", slipway_lock_wait=60)
            step.note = _line(job.finish(job.start()), r"shop +ready")
        return inventory

    def _job(self, project: Project, inventory: dict[str, Any], operation: str, **variables: Any) -> Job:
        number = len(self.jobs) + 1
        token = Path(project.env["token_file"]).read_text(encoding="utf-8").strip()
        job = Job(
            self.podman, self.image, self.folder / "jobs" / str(number), number, f"slipway/{operation}.yml",
            {"SLIPWAY_API_TOKEN": token},
        )  # fmt: skip
        job.write(project.folder, inventory, VARIABLES | variables)
        self.jobs.append(job)
        return job


def _line(output: str, expected: str) -> str:
    """The first line with what is expected.

    :raises LabError: with the end of the output, when there is none.
    """
    for line in output.splitlines():
        if re.search(expected, line):
            return re.sub(r" +", " ", line.strip())
    tail = "\n".join(output.splitlines()[-25:])
    raise LabError(f"no line of the job is as expected ({expected}):\n{tail}")
