# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All objects, in memory. Whoever uses it holds ``lock``."""

from __future__ import annotations

import copy
import datetime
import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from lab.awx.kinds import KINDS, members
from lab.awx.refusal import missing
from lab.awx.shape import Kind

Object = dict[str, Any]
ROLE_NAMES = {"adhoc_role": "Ad Hoc", "approval_role": "Approve"}


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Store:
    """Objects by kind and number, their associations, and the surveys of templates."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._objects: dict[str, dict[int, Object]] = {name: {} for name in KINDS}
        self._links: dict[tuple[str, int, str], list[int]] = defaultdict(list)
        self._numbers: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        self.surveys: dict[tuple[str, int], Object] = {}
        self.results: dict[int, dict[str, Any]] = {}
        """What a run left behind, by its number: ``stdout`` and ``events``."""

    def kind_of(self, name: str, number: int) -> Kind:
        """Which of a list's kinds the object is of.

        :raises RefusalError: when there is none with this number.
        """
        for kind in members(name):
            if number in self._objects[kind.name]:
                return kind
        raise missing()

    def find(self, name: str, number: object) -> Object | None:
        """The object itself, not a copy; None when there is none."""
        for kind in members(name):
            if isinstance(number, int) and number in self._objects[kind.name]:
                return self._objects[kind.name][number]
        return None

    def get(self, name: str, number: object) -> Object:
        """:raises RefusalError: when there is none with this number."""
        found = self.find(name, number)
        if found is None:
            raise missing()
        return found

    def all(self, name: str, /, **fields: Any) -> list[tuple[Kind, Object]]:
        """Everything in a list whose fields have these values."""
        return [
            (kind, thing)
            for kind in members(name)
            for thing in self._objects[kind.name].values()
            if all(thing.get(key) == value for key, value in fields.items())
        ]

    def one(self, name: str, /, **fields: Any) -> Object | None:
        return next((thing for _kind, thing in self.all(name, **fields)), None)

    def add(self, kind: Kind, values: Object) -> Object:
        """A new object; what it is not given is as the kind says."""
        number = next(self._numbers[kind.sequence or kind.name])
        thing = {name: copy.deepcopy(field.default) for name, field in kind.fields.items()}
        thing |= values | {"id": number, "created": now(), "modified": now()}
        self._objects[kind.name][number] = thing
        for role in kind.roles:
            field = f"{role}_role"
            name = ROLE_NAMES.get(field, role.replace("_", " ").title())
            self.add(
                KINDS["roles"], {"name": name, "role_field": field, "content_kind": kind.name, "content_id": number}
            )
        self.changed.notify_all()
        return thing

    def update(self, thing: Object, values: Object) -> None:
        thing |= values
        thing["modified"] = now()
        self.changed.notify_all()

    def remove(self, kind: Kind, number: int) -> None:
        """The object, and what goes with it; others let go of it."""
        thing = self._objects[kind.name].pop(number)
        self.surveys.pop((kind.name, number), None)
        if kind.name == "workflow_job_template_nodes":
            self.remove_approval(thing["unified_job_template"])
        for (owner, owner_number, link), numbers in list(self._links.items()):
            if owner == kind.name and owner_number == number:
                del self._links[owner, owner_number, link]
            elif number in numbers and kind in members(KINDS[owner].links[link]):
                numbers.remove(number)
        for role in self.all("roles", content_kind=kind.name, content_id=number):
            self.remove(KINDS["roles"], role[1]["id"])
        for other in KINDS.values():
            for name, field in other.fields.items():
                if field.to and kind in members(field.to):
                    self._release(other, name, number, cascade=field.cascade)
        self.changed.notify_all()

    def remove_approval(self, template: int | None) -> None:
        """An approval belongs to its node, and goes with it."""
        if template in self._objects["workflow_approval_templates"]:
            self.remove(KINDS["workflow_approval_templates"], template)

    def _release(self, kind: Kind, field: str, number: int, *, cascade: bool) -> None:
        for thing in [thing for thing in self._objects[kind.name].values() if thing[field] == number]:
            if not cascade:
                thing[field] = None
            elif thing["id"] in self._objects[kind.name]:
                self.remove(kind, thing["id"])

    def linked(self, kind: Kind, number: int, link: str) -> list[int]:
        """Numbers of the members of an association, in their order."""
        return list(self._links[kind.name, number, link])

    def link(self, kind: Kind, number: int, link: str, member: int) -> None:
        members_now = self._links[kind.name, number, link]
        if member not in members_now:
            members_now.append(member)
        self.changed.notify_all()

    def unlink(self, kind: Kind, number: int, link: str, member: int) -> None:
        members_now = self._links[kind.name, number, link]
        if member in members_now:
            members_now.remove(member)
        self.changed.notify_all()
