# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Everything that runs: each in a thread of its own, in its turn, until it ends or is canceled."""

from __future__ import annotations

import datetime
import re
import threading
import traceback
from collections.abc import Callable
from typing import Any

from lab.awx import events
from lab.awx.dependencies import Dependencies
from lab.awx.jobs import Jobs
from lab.awx.outcome import ACTIVE, CanceledError, Outcome
from lab.awx.settings import Settings
from lab.awx.shape import Kind
from lab.awx.store import Object, Store, now
from lab.awx.updates import Updates
from lab.awx.workflows import Workflows

COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Runs:
    """Starts runs and knows what they have said. ``host``: AWX's own address."""

    def __init__(self, store: Store, settings: Settings, host: str) -> None:
        self.store = store
        self._canceled: dict[int, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        updates = Updates(store, settings)
        self._jobs = Jobs(store, settings, host)
        self._before = Dependencies(self)
        self._work: dict[str, Callable[[Object, threading.Event], Outcome]] = {
            "jobs": self._jobs.run,
            "workflow_jobs": Workflows(self).run,
            "project_updates": updates.project,
            "inventory_updates": updates.inventory,
        }

    def start(self, run: Object) -> None:
        """Let it wait for its turn. Whoever calls holds the store's lock."""
        kind = self.store.kind_of("unified_jobs", run["id"])
        canceled = self._canceled[run["id"]] = threading.Event()
        thread = threading.Thread(target=self._run, args=(kind, run, canceled), name=f"awx-{kind.type}-{run['id']}")
        thread.daemon = True
        self._threads.append(thread)
        thread.start()

    def cancel(self, run: Object) -> None:
        with self.store.lock:
            if run["id"] in self._canceled:
                self._canceled[run["id"]].set()
            else:
                # An approval: nothing runs that would have to end first.
                self.end(run, Outcome("canceled"))
            self.store.changed.notify_all()

    def close(self) -> None:
        """Cancel what still runs, and wait for its end."""
        for canceled in self._canceled.values():
            canceled.set()
        with self.store.lock:
            self.store.changed.notify_all()
        for thread in self._threads:
            thread.join(30)

    def _run(self, kind: Kind, run: Object, canceled: threading.Event) -> None:
        try:
            outcome = self._perform(kind, run, canceled)
        except CanceledError:
            outcome = Outcome("canceled")
        except Exception:  # noqa: BLE001 - as AWX: whatever goes wrong here is the run's error, and its status says so
            outcome = Outcome("error", traceback=traceback.format_exc())
        with self.store.lock:
            self.end(run, outcome)

    def _perform(self, kind: Kind, run: Object, canceled: threading.Event) -> Outcome:
        self._wait_turn(run, canceled)
        outcome = self._before.job(run, canceled) if kind.name == "jobs" else None
        if outcome is not None:
            return outcome
        with self.store.lock:
            self.store.update(run, {"status": "running", "started": now(), "execution_node": "lab"})
        return self._work[kind.name](run, canceled)

    def _wait_turn(self, run: Object, canceled: threading.Event) -> None:
        """One run of a template at a time, unless it allows more."""
        with self.store.lock:
            while not canceled.is_set():
                earlier = [
                    other["id"]
                    for _kind, other in self.store.all("unified_jobs", unified_job_template=run["unified_job_template"])
                    if other["id"] < run["id"] and other["status"] in ACTIVE
                ]
                if run.get("allow_simultaneous") or not earlier:
                    return
                self.store.changed.wait(1)
            raise CanceledError

    def end(self, run: Object, outcome: Outcome) -> None:
        """Write down how it ended. Whoever calls holds the store's lock."""
        ended = now()
        values: dict[str, Any] = {
            "status": outcome.status,
            "failed": outcome.status != "successful",
            "finished": ended,
            "job_explanation": outcome.explanation,
            "result_traceback": outcome.traceback,
            "event_processing_finished": True,
            **outcome.values,
        }
        if run["started"]:
            started, finished = (datetime.datetime.fromisoformat(moment) for moment in (run["started"], ended))
            values["elapsed"] = round((finished - started).total_seconds(), 3)
        if outcome.status == "canceled":
            values["canceled_on"] = ended
        self.store.update(run, values)
        template = self.store.find("unified_job_templates", run["unified_job_template"])
        if template is not None:
            failed = outcome.status != "successful"
            last: dict[str, Any] = {"last_job_run": ended, "last_job_failed": failed, "status": outcome.status}
            if "last_updated" in template:
                last |= {"last_updated": ended, "last_update_failed": failed}
            self.store.update(template, last)

    def stdout(self, run: Object, form: str) -> str:
        ended = self.store.results.get(run["id"])
        text = str(ended["stdout"]) if ended else events.text(self._jobs.so_far(run))
        return text if form == "ansi" else COLOUR.sub("", text)

    def events(self, run: Object) -> list[Object]:
        ended = self.store.results.get(run["id"])
        return list(ended.get("events", ())) if ended else events.shown(self._jobs.so_far(run), run)

    def host_summaries(self, run: Object) -> list[Object]:
        return list(self.store.results.get(run["id"], {}).get("hosts", ()))
