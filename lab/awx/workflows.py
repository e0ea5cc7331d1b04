# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Workflows: their nodes in order, each when those before it have ended in the way that leads to it."""

from __future__ import annotations

import datetime
import threading
from typing import TYPE_CHECKING, Any

from lab.awx import launches
from lab.awx.incoming import variables
from lab.awx.kinds import KINDS
from lab.awx.kinds_work import AFTER
from lab.awx.outcome import ACTIVE, CanceledError, Outcome
from lab.awx.rules import launch, saved
from lab.awx.store import Object, now

if TYPE_CHECKING:
    from lab.awx.runs import Runs

NODES = KINDS["workflow_job_nodes"]
WAYS = {True: ("success_nodes", "always_nodes"), False: ("failure_nodes", "always_nodes")}
LOOK = 0.5


class Workflows:
    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.store = runs.store

    def run(self, workflow: Object, canceled: threading.Event) -> Outcome:
        """To its end.

        :raises CanceledError: when that was somebody's wish; what it had started is canceled too.
        """
        with self.store.lock:
            while not canceled.is_set():
                nodes = [node for _kind, node in self.store.all(NODES.name, workflow_job=workflow["id"])]
                for node in nodes:
                    self._expire(node)
                if not self._advance(workflow, nodes) and all(self._ended(node) for node in nodes):
                    return self._outcome(nodes)
                self.store.changed.wait(LOOK)
            self._stop(workflow)
        raise CanceledError

    def _job(self, node: Object) -> Object | None:
        return self.store.find("unified_jobs", node["job"])

    def _ended(self, node: Object) -> bool:
        job = self._job(node)
        return bool(node["do_not_run"] or node["unified_job_template"] is None or (job and job["status"] not in ACTIVE))

    def _parents(self, node: Object, nodes: list[Object]) -> list[Object]:
        return [
            other for other in nodes if any(node["id"] in self.store.linked(NODES, other["id"], way) for way in AFTER)
        ]

    def _advance(self, workflow: Object, nodes: list[Object]) -> bool:
        """Decide what can be decided; whether there was any such node."""
        moved = False
        for node in nodes:
            if self._ended(node) or node["job"] is not None:
                continue
            parents = self._parents(node, nodes)
            ways = [self._leads(parent, node) for parent in parents]
            together = node["all_parents_must_converge"]
            if parents and ((together and False in ways) or (None not in ways and True not in ways)):
                self.store.update(node, {"do_not_run": True})
            elif None in ways:
                continue
            else:
                self._start(workflow, node, parents)
            moved = True
        return moved

    def _leads(self, parent: Object, node: Object) -> bool | None:
        """Whether the parent's end leads to the node; None as long as it has none."""
        if parent["do_not_run"]:
            return False
        if not self._ended(parent):
            return None
        job = self._job(parent)
        succeeded = job is not None and job["status"] == "successful"
        return any(node["id"] in self.store.linked(NODES, parent["id"], way) for way in WAYS[succeeded])

    def _start(self, workflow: Object, node: Object, parents: list[Object]) -> None:
        before: dict[str, Any] = {}
        for parent in parents:
            before |= parent["ancestor_artifacts"] | ((self._job(parent) or {}).get("artifacts") or {})
        kind = self.store.kind_of("unified_job_templates", node["unified_job_template"])
        template = self.store.get(kind.name, node["unified_job_template"])
        how = {"launch_type": "workflow", "source_workflow_job": workflow["id"]}
        if kind.name == "workflow_approval_templates":
            job = self._approval(template, how)
        elif kind.name in saved.LAUNCHED:
            given = saved.prompts(self.store, NODES, node)
            asked = {name: workflow[name] for name in ("inventory", "limit") if workflow[name] is not None}
            # What is a workflow's own wins over what its jobs have found out.
            given |= asked | {"extra_vars": given["extra_vars"] | before | variables(workflow["extra_vars"])}
            found = launch.sort_out(self.store, kind, template, given, strict=False, complete=False)
            job = launches.job(self.store, kind, template, found.accepted, how)
            job["survey_passwords"] = workflow["survey_passwords"] | job["survey_passwords"]
            self.runs.start(job)
        else:
            job = launches.update(self.store, self.runs, kind, template, **how)
        self.store.update(node, {"job": job["id"], "ancestor_artifacts": before})

    def _approval(self, template: Object, how: dict[str, Any]) -> Object:
        values = {"name": template["name"], "description": template["description"], "timeout": template["timeout"]}
        values |= {"workflow_approval_template": template["id"], "unified_job_template": template["id"]}
        return self.store.add(KINDS["workflow_approvals"], values | how | {"started": now()})

    def _expire(self, node: Object) -> None:
        """An approval that nobody has given in time is none."""
        job = self._job(node)
        if job is None or "timed_out" not in job or job["status"] not in ACTIVE or not job["timeout"]:
            return
        age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(job["started"])
        if age.total_seconds() > job["timeout"]:
            text = f"The approval node {job['name']} ({job['id']}) has expired after {job['timeout']} seconds."
            self.runs.end(job, Outcome("failed", text, values={"timed_out": True}))

    def _stop(self, workflow: Object) -> None:
        jobs = [job for _kind, job in self.store.all("unified_jobs", source_workflow_job=workflow["id"])]
        for job in jobs:
            if job["status"] in ACTIVE:
                self.runs.cancel(job)
        while any(job["status"] in ACTIVE for job in jobs):
            self.store.changed.wait(LOOK)

    def _outcome(self, nodes: list[Object]) -> Outcome:
        failed, missing = [], []
        for node in nodes:
            handled = any(self.store.linked(NODES, node["id"], way) for way in WAYS[False])
            job = self._job(node)
            if handled or node["do_not_run"]:
                continue
            if job is None:
                missing.append(str(node["id"]))
            elif job["status"] != "successful":
                failed.append(f"({node['id']},{job['status']})")
        if not failed and not missing:
            return Outcome("successful")
        return Outcome(
            "failed",
            f"No error handling path for workflow job node(s) [{','.join(failed)}]. Workflow job node(s) missing "
            f"unified job template and error handling path [{','.join(missing)}].",
        )
