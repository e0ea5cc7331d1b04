# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is below an object: its associations, and lists of what refers to it."""

from __future__ import annotations

from typing import Any

from lab.awx import lists, options
from lab.awx.incoming import number_in
from lab.awx.kinds import KINDS, members
from lab.awx.kinds_work import AFTER
from lab.awx.objects import Objects
from lab.awx.outgoing import show
from lab.awx.refusal import RefusalError
from lab.awx.request import Answer, Request, not_allowed
from lab.awx.rules import credentials, nodes
from lab.awx.shape import Kind
from lab.awx.store import Object


class Links:
    """Answers requests about one object's lists."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.store = objects.store

    def association(self, request: Request, kind: Kind, thing: Object, link: str) -> Answer:
        """Members come and go by POST with an id; without one a new object is made and becomes a member.

        :raises RefusalError: when AWX would not do it.
        """
        target = kind.links[link]
        members_kind = KINDS[target]
        match request.method:
            case "GET" | "HEAD":
                items = [(members_kind, self.store.get(target, number)) for number in self._numbers(kind, thing, link)]
                return Answer(200, lists.page(self.store, members(target), items, request.path, request.query))
            case "OPTIONS":
                return options.listing(members_kind, attach=True)
            case "POST":
                return self._post(request, kind, thing, link)
            case _:
                raise not_allowed(request)

    def _numbers(self, kind: Kind, thing: Object, link: str) -> list[int]:
        if (kind.name, link) in (("users", "roles"), ("teams", "roles")):
            return [
                role["id"]
                for role_kind, role in self.store.all("roles")
                if thing["id"] in self.store.linked(role_kind, role["id"], kind.name)
            ]
        return self.store.linked(kind, thing["id"], link)

    def _post(self, request: Request, kind: Kind, thing: Object, link: str) -> Answer:
        body: dict[str, Any] = request.body if isinstance(request.body, dict) else {}
        target = kind.links[link]
        if body.get("id") is None:
            if not KINDS[target].writable or kind.name == "roles":
                raise RefusalError(400, {"msg": f"{KINDS[target].title} 'id' field is missing."})
            made = self.objects.create(KINDS[target], body, request.user)
            self.store.link(kind, thing["id"], link, made["id"])
            return Answer(201, show(self.store, KINDS[target], made))
        number = number_in(self.store, target, body["id"])
        if (kind.name, link) in (("users", "roles"), ("teams", "roles")):
            kind, thing, link, number = KINDS["roles"], self.store.get("roles", number), kind.name, thing["id"]
        if body.get("disassociate"):
            self.store.unlink(kind, thing["id"], link, number)
        elif number not in self.store.linked(kind, thing["id"], link):
            self._check(kind, thing, link, self.store.get(kind.links[link], number))
            self.store.link(kind, thing["id"], link, number)
        return Answer(204)

    def _check(self, kind: Kind, thing: Object, link: str, member: Object) -> None:
        if link in AFTER:
            nodes.check_next(self.store, thing, link, member)
        if link == "credentials":
            credentials.check_assignment(self.store, kind, thing["id"], member)
        if link == "galaxy_credentials" and member["kind"] not in ("galaxy", "galaxy_api_token"):
            raise RefusalError(400, {"msg": "Credential must be a Galaxy credential, not " + str(member["kind"]) + "."})
        if kind.name == "groups" and member["inventory"] != thing["inventory"]:
            raise RefusalError(400, {"msg": "Cannot associate objects of different inventories."})
        if kind.name == "groups" and link == "children" and self._below(member["id"], thing["id"]):
            raise RefusalError(403, {"detail": "Cyclical Group association."})

    def _below(self, top: int, number: int) -> bool:
        """Whether a group is another one, or one of the groups below it."""
        kind = KINDS["groups"]
        return top == number or any(self._below(child, number) for child in self.store.linked(kind, top, "children"))

    def children(self, request: Request, kind: Kind, thing: Object, name: str) -> Answer:
        """What refers to the object; POST makes one more.

        :raises RefusalError: when AWX would not do it.
        """
        target, field = kind.children[name]
        match request.method:
            case "GET" | "HEAD":
                items = self.store.all(target, **{field: thing["id"]})
                return Answer(200, lists.page(self.store, members(target), items, request.path, request.query))
            case "OPTIONS" if target in KINDS:
                return options.listing(KINDS[target], field, attach=name == "execution_environments")
            case "POST" if target in KINDS and KINDS[target].writable and not KINDS[target].fields[field].read_only:
                body = {**(request.body or {}), field: thing["id"]}
                return Answer(
                    201, show(self.store, KINDS[target], self.objects.create(KINDS[target], body, request.user))
                )
            case "OPTIONS":
                return options.reading(name)
            case _:
                raise not_allowed(request)

    def roles(self, request: Request, kind: Kind, thing: Object) -> Answer:
        items = self.store.all("roles", content_kind=kind.name, content_id=thing["id"])
        if request.method == "OPTIONS":
            return options.reading("Object roles")
        if request.writes:
            raise not_allowed(request)
        return Answer(200, lists.page(self.store, members("roles"), items, request.path, request.query))
