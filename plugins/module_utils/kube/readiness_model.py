# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a readiness judgement is, and how the rules read an object's fields.

Objects come from an API server, but custom resources may have any shape below ``status``, so every access here
answers "not there" instead of failing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Object = dict[str, Any]
"""One Kubernetes object as it stands in JSON."""


class State(StrEnum):
    READY = "ready"
    IN_PROGRESS = "in progress"
    FAILED = "failed"
    TERMINATING = "terminating"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Readiness:
    """The judgement on one object. ``message`` says why, in one line; it may be empty when ready."""

    state: State
    message: str = ""

    @property
    def ready(self) -> bool:
        """Nothing is left to wait for: somebody who suspends an object does not want it waited for."""
        return self.state in (State.READY, State.SUSPENDED)


@dataclass(frozen=True)
class Context:
    """What a rule may need beside the object.

    ``load_balancer``: ``required`` waits for an address, anything else does not.
    ``binding_mode``: volumeBindingMode by StorageClass name, ``""`` standing for the default class.
    ``age``: seconds since the object was created, None when unknown.
    """

    load_balancer: str = "required"
    binding_mode: Callable[[str], str | None] | None = None
    age: float | None = None


Rule = Callable[[Object, Context], Readiness]


def ready(message: str = "") -> Readiness:
    return Readiness(State.READY, message)


def waiting(message: str) -> Readiness:
    return Readiness(State.IN_PROGRESS, message)


def failed(message: str) -> Readiness:
    return Readiness(State.FAILED, message)


def suspended(message: str) -> Readiness:
    return Readiness(State.SUSPENDED, message)


def section(obj: Object, *keys: str) -> Object:
    """The mapping below ``keys``, empty when it is not there."""
    value: Any = obj
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(obj: Object, *keys: str) -> list[Object]:
    """The mappings of the list below ``keys``."""
    value = section(obj, *keys[:-1]).get(keys[-1])
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(where: Object, key: str, default: int = 0) -> int:
    """An integer field; the API leaves out zeros."""
    value = where.get(key)
    return value if isinstance(value, int) else default


def words(where: Object, key: str) -> str:
    value = where.get(key)
    return value if isinstance(value, str) else ""


def condition(obj: Object, kind: str) -> Object:
    """The entry of ``status.conditions`` with this type, empty when there is none."""
    return next((entry for entry in items(obj, "status", "conditions") if entry.get("type") == kind), {})


def holds(obj: Object, kind: str) -> bool:
    return condition(obj, kind).get("status") == "True"


def told(entry: Object, fallback: str) -> str:
    """Reason and message of a condition, or of a container state, in one line."""
    text = ": ".join(part for part in (words(entry, "reason"), " ".join(words(entry, "message").split())) if part)
    return text or fallback


def group_of(obj: Object) -> str:
    """``apps`` of ``apps/v1``; empty for the core group."""
    version = words(obj, "apiVersion")
    return version.rpartition("/")[0]
