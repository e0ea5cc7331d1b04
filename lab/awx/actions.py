# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What one can do with an object beside changing it: launch, update, cancel, approve; and its survey."""

from __future__ import annotations

import copy
from collections.abc import Callable

from lab.awx import launches, lists, options
from lab.awx.incoming import clean, variables
from lab.awx.kinds import KINDS
from lab.awx.objects import Objects
from lab.awx.outcome import ACTIVE, Outcome
from lab.awx.outgoing import show
from lab.awx.refusal import RefusalError
from lab.awx.request import Answer, Request, not_allowed
from lab.awx.rules import launch, projects, surveys
from lab.awx.runs import Runs
from lab.awx.scripts import script
from lab.awx.shape import Kind
from lab.awx.store import Object

Action = Callable[[Request, Kind, Object], Answer]
UPDATES = {"projects": "project_updates", "inventory_sources": "inventory_updates"}


class Actions:
    """Answers requests below ``/LIST/ID/ACTION/``."""

    def __init__(self, objects: Objects, runs: Runs) -> None:
        self.objects = objects
        self.store = objects.store
        self.runs = runs
        self._actions: dict[str, Action] = {
            "survey_spec": self._survey,
            "playbooks": self._playbooks,
            "inventories": self._inventory_files,
            "update": self._update,
            "script": self._script,
            "variable_data": self._variables,
            "create_approval_template": self._approval_template,
            "launch": self._launch,
            "cancel": self._cancel,
            "approve": self._decide,
            "deny": self._decide,
            "stdout": self._stdout,
            "job_events": self._events,
            "job_host_summaries": self._host_summaries,
        }

    def answer(self, request: Request, kind: Kind, thing: Object, action: str) -> Answer:
        """:raises RefusalError: when AWX would not do it."""
        return self._actions[action](request, kind, thing)

    def _survey(self, request: Request, kind: Kind, thing: Object) -> Answer:
        key = (kind.name, thing["id"])
        match request.method:
            case "GET" | "HEAD":
                return Answer(200, surveys.hidden(self.store.surveys.get(key, {})))
            case "OPTIONS":
                return options.posting("Survey", None)
            case "POST":
                spec = copy.deepcopy(request.body)
                surveys.check(spec, self.store.surveys.get(key, {}))
                self.store.surveys[key] = spec
                return Answer(200)
            case "DELETE":
                self.store.surveys.pop(key, None)
                return Answer(200)
            case _:
                raise not_allowed(request)

    def _playbooks(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        self._only_get(request)
        return Answer(200, projects.playbooks(self.objects.projects, thing))

    def _inventory_files(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        self._only_get(request)
        return Answer(200, projects.inventory_files(self.objects.projects, thing))

    def _script(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        self._only_get(request)
        given = dict(request.query)
        return Answer(200, script(self.store, thing, hostvars="hostvars" in given, towervars="towervars" in given))

    def _variables(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        self._only_get(request)
        return Answer(200, variables(thing["variables"]))

    def _update(self, request: Request, kind: Kind, thing: Object) -> Answer:
        if request.method == "OPTIONS":
            return options.posting("Update", None)
        if request.method != "POST":
            return Answer(200, {"can_update": bool(thing.get("scm_type") or thing.get("source"))})
        if kind.name == "projects":
            projects.check_update(thing)
        run = launches.update(self.store, self.runs, kind, thing)
        run_kind = KINDS[UPDATES[kind.name]]
        return Answer(202, {run_kind.type: run["id"], **show(self.store, run_kind, run)})

    def _approval_template(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        target = KINDS["workflow_approval_templates"]
        match request.method:
            case "OPTIONS":
                return options.posting("Approval template", target, "name", "description", "timeout")
            case "POST":
                made = self.store.add(target, clean(self.store, target, request.body, None, whole=True))
                self.store.update(thing, {"unified_job_template": made["id"]})
                return Answer(201, show(self.store, target, made))
            case "GET" | "HEAD":
                return Answer(200, {})
            case _:
                raise not_allowed(request)

    def _launch(self, request: Request, kind: Kind, thing: Object) -> Answer:
        match request.method:
            case "GET" | "HEAD":
                needed = launch.needed_variables(self.store, kind, thing)
                content = {name: thing[name] for name in kind.fields if name.startswith("ask_")}
                content |= {"can_start_without_user_input": not needed, "variables_needed_to_start": needed}
                content |= {"survey_enabled": bool(launch.questions(self.store, kind, thing))}
                return Answer(
                    200, content | {"defaults": {name: thing.get(name) for name in ("inventory", "extra_vars")}}
                )
            case "OPTIONS":
                return options.posting("Launch", None)
            case "POST":
                run, ignored = launches.launch(self.store, self.runs, kind, thing, request.body or {}, request.user)
                run_kind = self.store.kind_of("unified_jobs", run["id"])
                head = {run_kind.type: run["id"], "ignored_fields": ignored}
                return Answer(201, {**head, **show(self.store, run_kind, run)})
            case _:
                raise not_allowed(request)

    def _cancel(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        possible = thing["status"] in ACTIVE
        if request.method in ("GET", "HEAD"):
            return Answer(200, {"can_cancel": possible})
        if request.method != "POST" or not possible:
            raise not_allowed(request)
        self.runs.cancel(thing)
        return Answer(202)

    def _decide(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        word = request.path.rstrip("/").rpartition("/")[2]
        if request.method != "POST":
            return Answer(200, {})
        if thing["status"] != "pending":
            raise RefusalError(400, {"error": "This workflow step has already been approved or denied."})
        done = {"approve": "successful", "deny": "failed"}[word]
        self.runs.end(thing, Outcome(done, values={"approved_or_denied_by": request.user["id"]}))
        return Answer(204)

    def _stdout(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        self._only_get(request)
        text = self.runs.stdout(thing, dict(request.query).get("format", "txt"))
        if dict(request.query).get("format") == "json":
            return Answer(200, {"range": {"start": 0, "end": text.count("\n")}, "content": text})
        return Answer(200, text)

    def _events(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        self._only_get(request)
        return Answer(200, lists.plain_page(self.runs.events(thing), request.path, request.query))

    def _host_summaries(self, request: Request, _kind: Kind, thing: Object) -> Answer:
        self._only_get(request)
        return Answer(200, lists.plain_page(self.runs.host_summaries(thing), request.path, request.query))

    @staticmethod
    def _only_get(request: Request) -> None:
        if request.method not in ("GET", "HEAD"):
            raise not_allowed(request)
