# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where each address of the API leads."""

from __future__ import annotations

from pathlib import Path

from lab.awx import control, launches, lists, options
from lab.awx.actions import Actions
from lab.awx.kinds import KINDS, members
from lab.awx.links import Links
from lab.awx.objects import UPDATED_BY, Objects, index
from lab.awx.outgoing import ROOT, show
from lab.awx.refusal import missing
from lab.awx.request import Answer, Request, not_allowed
from lab.awx.runs import Runs
from lab.awx.shape import Kind
from lab.awx.store import Object, Store

VERSION = "24.6.1"
UNIFIED = ("unified_job_templates", "unified_jobs")


class Api:
    """Answers requests, one at a time."""

    def __init__(self, store: Store, runs: Runs, projects_root: Path) -> None:
        self.store = store
        self.runs = runs
        self.objects = Objects(store, projects_root)
        self.links = Links(self.objects)
        self.actions = Actions(self.objects, runs)

    def by_token(self, word: str) -> Object | None:
        """Whose token it is; None when it is nobody's."""
        with self.store.lock:
            token = self.store.one("tokens", token=word)
            return self.store.find("users", token["user"]) if token and word else None

    def by_password(self, name: str, password: str) -> Object | None:
        with self.store.lock:
            return self.store.one("users", username=name, password=password) if password else None

    def answer(self, request: Request) -> Answer:
        """:raises RefusalError: when AWX would not do it."""
        if request.path.startswith(control.PLACE):
            with self.store.lock:
                return control.answer(self.runs, request)
        if not request.path.startswith(ROOT):
            return self._top(request)
        words = request.path.removeprefix(ROOT).strip("/").split("/")
        with self.store.lock:
            match words:
                case [""]:
                    return Answer(200, index())
                case ["ping" | "config"]:
                    return Answer(200, {"version": VERSION, "active_node": "lab", "ha": False})
                case ["me"]:
                    mine = [(KINDS["users"], request.user)]
                    return Answer(200, lists.page(self.store, members("users"), mine, request.path, request.query))
                case [name] if name in KINDS or name in UNIFIED:
                    return self._list(request, name)
                case [name, word] if name in KINDS:
                    return self._object(request, KINDS[name], self.objects.by_name(KINDS[name], word))
                case [name, word, below] if name in KINDS:
                    return self._below(request, KINDS[name], self.objects.by_name(KINDS[name], word), below)
                case _:
                    raise missing()

    def _top(self, request: Request) -> Answer:
        if request.path == "/api/":
            return Answer(
                200, {"description": "AWX REST API", "current_version": ROOT, "available_versions": {"v2": ROOT}}
            )
        raise missing()

    def _list(self, request: Request, name: str) -> Answer:
        match request.method:
            case "GET" | "HEAD":
                items = self.store.all(name)
                return Answer(200, lists.page(self.store, members(name), items, request.path, request.query))
            case "OPTIONS":
                return options.listing(KINDS[name]) if name in KINDS else options.reading(name)
            case "POST" if name in KINDS and KINDS[name].writable and name != "workflow_approval_templates":
                return Answer(201, self._create(request, KINDS[name]))
            case _:
                raise not_allowed(request)

    def _create(self, request: Request, kind: Kind) -> Object:
        made = self.objects.create(kind, request.body or {}, request.user)
        if kind.name == "projects":
            self._set_up_project(made)
        shown = show(self.store, kind, made)
        if kind.name == "tokens":
            # The only time that it is told.
            shown["token"] = made["token"]
        return shown

    def _set_up_project(self, made: Object) -> None:
        if made["scm_type"]:
            slug = "".join(letter if letter.isalnum() else "_" for letter in made["name"].lower())
            made["local_path"] = f"_{made['id']}__{slug}"
            launches.update(self.store, self.runs, KINDS["projects"], made)
        else:
            made["status"] = "ok"

    def _object(self, request: Request, kind: Kind, thing: Object) -> Answer:
        match request.method:
            case "GET" | "HEAD":
                return Answer(200, show(self.store, kind, thing))
            case "OPTIONS":
                return options.reading(kind.title)
            case "PATCH" | "PUT" if kind.writable:
                before = {name: thing.get(name) for name in UPDATED_BY}
                self.objects.change(kind, thing, request.body or {}, whole=request.method == "PUT")
                if (
                    kind.name == "projects"
                    and thing["scm_type"]
                    and any(thing[name] != before[name] for name in before)
                ):
                    launches.update(self.store, self.runs, kind, thing)
                return Answer(200, show(self.store, kind, thing))
            case "DELETE" if kind.name != "roles":
                return Answer(self.objects.remove(kind, thing))
            case _:
                raise not_allowed(request)

    def _below(self, request: Request, kind: Kind, thing: Object, below: str) -> Answer:
        if below in kind.links:
            return self.links.association(request, kind, thing, below)
        if below in kind.children:
            return self.links.children(request, kind, thing, below)
        if below in kind.actions:
            return self.actions.answer(request, kind, thing, below)
        if below == "object_roles" and kind.roles:
            return self.links.roles(request, kind, thing)
        raise missing()
