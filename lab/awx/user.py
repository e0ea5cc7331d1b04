# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a person does with an AWX: launch templates by their names, wait, approve, cancel. All of it by the REST API."""

from __future__ import annotations

import time
import urllib.parse
from dataclasses import dataclass
from typing import Any, Self

import urllib3

from lab.awx.outcome import ACTIVE

ROOT = "/api/v2/"
LOOK = 0.1


@dataclass(frozen=True)
class Job:
    """A run as it is at a moment; of a workflow, ``jobs`` are the runs of its nodes, in their order."""

    shown: dict[str, Any]
    stdout: str
    jobs: tuple[Self, ...] = ()

    @property
    def id(self) -> int:
        return int(self.shown["id"])

    @property
    def name(self) -> str:
        return str(self.shown["name"])

    @property
    def status(self) -> str:
        """``successful``, ``failed``, ``error`` or ``canceled`` when it has ended."""
        return str(self.shown["status"])

    @property
    def explanation(self) -> str:
        return str(self.shown["job_explanation"])

    @property
    def artifacts(self) -> dict[str, Any]:
        """What it gave to ``set_stats``."""
        return dict(self.shown.get("artifacts") or {})


class AwxError(Exception):
    """AWX did not do what it was told; ``status`` and ``content`` are its answer."""

    def __init__(self, status: int, content: Any) -> None:
        super().__init__(f"{status}: {content}")
        self.status = status
        self.content = content


class User:
    """Whoever has the token. ``seconds``: how long a run may take before waiting for it fails."""

    def __init__(self, url: str, token: str, seconds: float = 300.0) -> None:
        self.url = url
        self.seconds = seconds
        self._headers = {"Authorization": f"Bearer {token}"}
        self._pool = urllib3.PoolManager(retries=False)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """What comes back; a path without a leading slash is one below the API's version.

        :raises AwxError: for any status from 400 on.
        """
        address = self.url + (path if path.startswith("/") else ROOT + path)
        answer = self._pool.request(method, address, json=body, headers=self._headers, timeout=60)
        plain = answer.headers.get("Content-Type", "").startswith("text/plain")
        content = answer.data.decode() if plain else answer.json() if answer.data.strip() else None
        if answer.status >= 400:
            raise AwxError(answer.status, content)
        return content

    def find(self, kind: str, name: str, **fields: str) -> dict[str, Any]:
        """The only object of a list, such as ``job_templates``, with this name and these fields.

        :raises LookupError: when there is none, or more than one.
        """
        found = self.call("GET", f"{kind}/?{urllib.parse.urlencode({'name': name, **fields})}")["results"]
        if len(found) != 1:
            raise LookupError(f"{len(found)} objects named {name!r} in {kind}")
        return dict(found[0])

    def start(self, template: str, prompts: dict[str, Any] | None = None, **answers: Any) -> Job:
        """A job template or a workflow job template, launched. ``prompts``: more than extra variables, as ``limit``.

        :raises AwxError: when AWX would not.
        """
        found = self.find("unified_job_templates", template, type="job_template,workflow_job_template")
        return self._now(self.call("POST", f"{found['url']}launch/", {**(prompts or {}), "extra_vars": answers}))

    def launch(self, template: str, prompts: dict[str, Any] | None = None, **answers: Any) -> Job:
        """Launched and waited for."""
        return self.wait(self.start(template, prompts, **answers))

    def fire(self, schedule: str) -> Job:
        """A schedule come due, and its run waited for."""
        found = self.find("schedules", schedule)
        return self.wait(self._now(self.call("POST", f"/lab/schedules/{found['id']}/fire")))

    def look(self, job: Job) -> Job:
        """The run as it is by now."""
        return self._now(self.call("GET", str(job.shown["url"])))

    def wait(self, job: Job) -> Job:
        """Until it has ended.

        :raises TimeoutError: when it does not.
        """
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            now = self.call("GET", str(job.shown["url"]))
            if now["status"] not in ACTIVE:
                return self._now(now)
            time.sleep(LOOK)
        last = self.look(job)
        raise TimeoutError(f"{last.name} is still {last.status} after {self.seconds} s:\n{last.stdout}")

    def approve(self, workflow: Job) -> None:
        """What the workflow waits for.

        :raises TimeoutError: when it does not come so far.
        """
        self._decide(workflow, "approve")

    def deny(self, workflow: Job) -> None:
        """See `approve`."""
        self._decide(workflow, "deny")

    def cancel(self, job: Job) -> Job:
        """Canceled, and its end waited for."""
        self.call("POST", f"{job.shown['url']}cancel/")
        return self.wait(job)

    def wait_for(self, job: Job, text: str) -> Job:
        """Until the text is in its output.

        :raises TimeoutError: when it does not come, also when the job has ended without it.
        """
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            now = self.look(job)
            if text in now.stdout:
                return now
            if now.status not in ACTIVE:
                break
            time.sleep(LOOK)
        raise TimeoutError(f"no {text!r} in {job.name}, which is {now.status}:\n{now.stdout}")

    def _decide(self, workflow: Job, word: str) -> None:
        nodes = f"{workflow.shown['url']}workflow_nodes/"
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            for node in self.call("GET", nodes)["results"]:
                job = node["summary_fields"].get("job", {})
                if job.get("type") == "workflow_approval" and job["status"] == "pending":
                    self.call("POST", f"workflow_approvals/{job['id']}/{word}/")
                    return
            if self.call("GET", str(workflow.shown["url"]))["status"] not in ACTIVE:
                break
            time.sleep(LOOK)
        raise TimeoutError(f"{workflow.name} does not wait for an approval")

    def _now(self, shown: dict[str, Any]) -> Job:
        if shown["type"] == "workflow_job":
            nodes = self.call("GET", f"{shown['url']}workflow_nodes/?page_size=200")["results"]
            runs = [self.call("GET", node["related"]["job"]) for node in nodes if node["job"] is not None]
            return Job(shown, "", tuple(self._now(run) for run in runs))
        spoken = "stdout" in shown["related"]
        return Job(shown, self.call("GET", f"{shown['url']}stdout/?format=txt") if spoken else "")
