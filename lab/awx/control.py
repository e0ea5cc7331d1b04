# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a test orders and a user cannot: ``POST /lab/schedules/NUMBER/fire`` makes a schedule come due."""

from __future__ import annotations

from lab.awx import launches
from lab.awx.outgoing import show
from lab.awx.refusal import RefusalError, missing
from lab.awx.request import Answer, Request, not_allowed
from lab.awx.rules import launch, saved
from lab.awx.runs import Runs
from lab.awx.store import Object

PLACE = "/lab/"


def answer(runs: Runs, request: Request) -> Answer:
    """The run that was started. Whoever calls holds the store's lock.

    :raises RefusalError: when there is no such schedule, or it would never come due.
    """
    match request.path.removeprefix(PLACE).strip("/").split("/"):
        case ["schedules", number, "fire"] if number.isdigit():
            if request.method != "POST":
                raise not_allowed(request)
            run = _fire(runs, runs.store.get("schedules", int(number)))
            kind = runs.store.kind_of("unified_jobs", run["id"])
            return Answer(201, show(runs.store, kind, run))
        case _:
            raise missing()


def _fire(runs: Runs, schedule: Object) -> Object:
    if not schedule["enabled"]:
        raise RefusalError(409, {"detail": "The schedule is disabled."})
    store = runs.store
    kind = store.kind_of("unified_job_templates", schedule["unified_job_template"])
    template = store.get(kind.name, schedule["unified_job_template"])
    how = {"launch_type": "scheduled", "schedule": schedule["id"]}
    if kind.name not in saved.LAUNCHED:
        return launches.update(store, runs, kind, template, **how)
    given = saved.prompts(store, store.kind_of("schedules", schedule["id"]), schedule)
    # What the template does not ask for any more is left out, and nobody is there to be asked for the rest.
    found = launch.sort_out(store, kind, template, given, strict=False, complete=False)
    run = launches.job(store, kind, template, found.accepted, how)
    runs.start(run)
    return run
