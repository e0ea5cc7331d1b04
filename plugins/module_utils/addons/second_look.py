# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""At its turn, an add-on that uses outputs is planned once more, with the values that are there by then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from .diff import value_path
from .errors import ActError, FindingsError
from .finding import NOWHERE, Finding, format_path
from .late import advice, late_values
from .model import JSON, Manifest
from .outputs import shown
from .plan import Action, AddonPlan
from .planner import Planner
from .reading import ABSENT
from .work import Event, Work

_PATIENCE = 60.0
"""Seconds at most: an operator may write what it generates a moment after it is ready."""
_LONGEST_PAUSE = 2.0


class SecondLook:
    """``reload`` reads the manifest with outputs as they are now, for the add-on that it names; ``complete`` does to a
    plan what is done to those from the beginning of the run.

    Add-ons take turns: templates, the renderer and the planner serve one at a time.
    """

    def __init__(
        self,
        work: Work,
        planner: Planner | None,
        reload: Callable[[str], Manifest],
        complete: Callable[[AddonPlan], None],
    ) -> None:
        self._work = work
        self._planner = planner
        self._reload = reload
        self._complete = complete
        self._turn = threading.Lock()

    def plan(self, first: AddonPlan) -> AddonPlan:
        """What is to be done now. Raises ``ActError`` when an output is missing, or the plan has a problem."""
        if self._planner is None:
            raise ValueError(f"add-on {first.name} was not planned by this run")
        try:
            manifest = with_outputs(first.name, self._read, on_wait=lambda why: self._say(first.name, "waiting", why))
            with self._turn:
                plan = self._planner.again(manifest.addons[first.name], manifest.secrets)
                self._complete(plan)
        except FindingsError as exc:
            raise _as_error(exc.findings) from exc
        if plan.action is Action.BLOCKED:
            raise _as_error(plan.problems)
        plan.depends = tuple(dict.fromkeys((*plan.depends, *first.depends)))
        if plan.changes:
            self._say(plan.name, "planned", "; ".join(_values(first, plan)) or plan.reason)
        else:
            self._say(plan.name, "unchanged", plan.reason)
        return plan

    def _read(self, name: str) -> Manifest:
        if self._work.client.guard is not None:
            self._work.client.guard()
        with self._turn:
            manifest = self._reload(name)
            self._work.learn(manifest.secrets)
        return manifest

    def _say(self, name: str, state: str, detail: str) -> None:
        self._work.emit(Event(name, state, self._work.masker.text(detail)))


def with_outputs(
    name: str, reload: Callable[[str], Manifest], *, on_wait: Callable[[str], None] = lambda why: None
) -> Manifest:
    """The manifest once all outputs that the add-on ``name`` uses are there. A stand-in is never applied: nothing
    leads past this. Raises ``ActError`` SLW-4501 to SLW-4503."""
    began, pause, told = time.monotonic(), 0.2, ""
    while True:
        manifest = reload(name)
        unknown = manifest.addons[name].unknown
        if not unknown:
            return manifest
        why = "; ".join(f"{shown(lack.output)}: {lack.why}" for lack in unknown)
        patience = min(_PATIENCE, max(manifest.addons[lack.addon].wait.timeout for lack in unknown))
        hopeless = [lack for lack in unknown if lack.code != ABSENT]
        if hopeless or time.monotonic() - began >= patience:
            lack = (hopeless or unknown)[0]
            raise ActError(lack.code, f"add-on {name} needs {why}", advice(lack))
        if why != told:
            on_wait(why)
            told = why
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _as_error(findings: Sequence[Finding]) -> ActError:
    """In the middle of a run findings stop one add-on, and nothing else."""
    one = findings[0]
    place = "" if one.position == NOWHERE else f"{one.position}: "
    text = "; ".join(f"{format_path(f.path)}: {f.message}" if f.path else f.message for f in findings)
    return ActError(one.code, f"{place}{text}", one.advice)


def _values(first: AddonPlan, plan: AddonPlan) -> Iterator[str]:
    """What the first plan could not tell, masked like everything that a plan shows."""
    late = {value.path for value in late_values(first)}
    for path in plan.wanted.outputs:
        name = value_path(path[1:])
        if path[0] != "values" or (late and f"values {name}" not in late):
            continue
        value: JSON = plan.shown_values
        for key in path[1:]:
            value = value.get(key) if isinstance(value, dict) else value[key]
        yield f"{name} changes" if isinstance(value, (dict, list)) else f"{name} is {value}"
