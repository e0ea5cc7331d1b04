# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Helm's hooks: objects of a chart that live outside its release and run at its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

HOOK = "helm.sh/hook"
WEIGHT = "helm.sh/hook-weight"
DELETE_POLICY = "helm.sh/hook-delete-policy"
OUTPUT_LOG_POLICY = "helm.sh/hook-output-log-policy"

BEFORE_CREATION = "before-hook-creation"
SUCCEEDED = "hook-succeeded"
FAILED = "hook-failed"

EVENTS = (
    "pre-install",
    "post-install",
    "pre-upgrade",
    "post-upgrade",
    "pre-delete",
    "post-delete",
    "pre-rollback",
    "post-rollback",
    "test",
)


@dataclass(frozen=True)
class Hook:
    """One hook. ``path`` is the template it comes from, ``manifest`` its text as Helm stores it."""

    name: str
    kind: str
    events: tuple[str, ...]
    weight: int
    delete_policies: tuple[str, ...]
    path: str
    object: dict[str, Any]
    manifest: str
    output_log_policies: tuple[str, ...] = ()


def parse_hook(obj: dict[str, Any], path: str, manifest: str) -> Hook | None:
    """The hook that ``obj`` is, or None for an ordinary object. ``obj`` has passed the checks for objects."""
    annotations = obj["metadata"].get("annotations") or {}
    declared = annotations.get(HOOK)
    if declared is None:
        return None
    # Helm 2 called the event test-success, and Helm still accepts it
    events = tuple("test" if event == "test-success" else event for event in _words(declared))
    return Hook(
        name=obj["metadata"]["name"],
        kind=obj["kind"],
        events=events,
        weight=_weight(annotations.get(WEIGHT)),
        delete_policies=_words(annotations.get(DELETE_POLICY)) or (BEFORE_CREATION,),
        path=path,
        object=obj,
        manifest=manifest,
        output_log_policies=_words(annotations.get(OUTPUT_LOG_POLICY)),
    )


def hooks_for(hooks: Iterable[Hook], event: str) -> list[Hook]:
    """The hooks of one event in the order in which Helm runs them: weight, then name, then as rendered
    (Helm renders them sorted by kind)."""
    return sorted((hook for hook in hooks if event in hook.events), key=lambda hook: (hook.weight, hook.name))


def _words(value: Any) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in str(value).split(",") if word.strip()) if value else ()


def _weight(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        # Helm takes what is no number for 0
        return 0
