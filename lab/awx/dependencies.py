# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Updates that come before a job: of its project, and of its inventory's sources."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.awx import launches
from lab.awx.kinds import KINDS
from lab.awx.outcome import CanceledError, Outcome
from lab.awx.shape import Kind
from lab.awx.store import Object

if TYPE_CHECKING:
    from lab.awx.runs import Runs

FINISHED = ("successful", "failed", "error", "canceled")


class Dependencies:
    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.store = runs.store

    def job(self, run: Object, canceled: threading.Event) -> Outcome | None:
        """Update what has to be up to date; an outcome when that went wrong.

        :raises CanceledError: when nobody wants the job any more.
        """
        with self.store.lock:
            sources = [
                source
                for _kind, source in self.store.all("inventory_sources", inventory=run["inventory"])
                if source["update_on_launch"]
            ]
            numbers = {run["project"], *(source["source_project"] for source in sources)} - {None}
            projects = [self.store.get("projects", number) for number in sorted(numbers)]
        wanted = [project for project in projects if project["scm_update_on_launch"]]
        steps: list[Callable[[], Outcome | None]] = [
            lambda: self._update(KINDS["projects"], wanted, "scm_update_cache_timeout", canceled),
            lambda: self._update(KINDS["inventory_sources"], sources, "update_cache_timeout", canceled),
        ]
        return next((found for found in (step() for step in steps) if found is not None), None)

    def _update(self, kind: Kind, things: list[Object], patience: str, canceled: threading.Event) -> Outcome | None:
        """All of them at once, those left out that were updated a moment ago."""
        with self.store.lock:
            due = [thing for thing in things if not _fresh(thing, thing[patience])]
            runs = [launches.update(self.store, self.runs, kind, thing, launch_type="dependency") for thing in due]
            while any(run["status"] not in FINISHED for run in runs):
                if canceled.is_set():
                    raise CanceledError
                self.store.changed.wait(1)
        for run in runs:
            if run["status"] != "successful":
                type_name = self.store.kind_of("unified_jobs", run["id"]).type
                told = f'{{"job_type": "{type_name}", "job_name": "{run["name"]}", "job_id": "{run["id"]}"}}'
                return Outcome("failed", f"Previous Task Failed: {told}")
        return None


def _fresh(thing: Object, seconds: int) -> bool:
    if not seconds or thing["status"] != "successful" or not thing["last_updated"]:
        return False
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(thing["last_updated"])
    return age.total_seconds() < seconds
