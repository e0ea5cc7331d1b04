# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Run a graph of tasks in a bounded pool: independent branches go on after a failure, dependents are skipped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum

from ..kube.errors import KubeError, StoppedError
from .errors import EngineError


class Outcome(StrEnum):
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass
class Result:
    """``reason`` is the error's text, or which failure a task was skipped for."""

    outcome: Outcome
    reason: str = ""
    error: EngineError | KubeError | None = None

    @property
    def done(self) -> bool:
        return self.outcome is Outcome.DONE


@dataclass
class Schedule:
    """``run`` maps a name to its outcome. ``blocked`` tasks fail without being started; ``held`` ones, and what depends
    on them or on ``opened`` ones, are left for another time, and have no outcome. Tasks may add themselves to both."""

    depends: Mapping[str, set[str]]
    task: Callable[[str], None]
    workers: int
    blocked: Mapping[str, str] = field(default_factory=dict)
    held: Collection[str] = ()
    opened: Collection[str] = ()
    on_skip: Callable[[str, str], None] = lambda name, reason: None

    def run(self, order: Sequence[str]) -> dict[str, Result]:
        """``order`` decides among tasks that are free at the same time."""
        results: dict[str, Result] = {
            name: Result(Outcome.FAILED, self.blocked[name]) for name in order if name in self.blocked
        }
        waiting = [name for name in order if name not in results]
        running: dict[Future[None], str] = {}
        stopped: StoppedError | None = None
        with ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="slipway-addon") as pool:
            while waiting or running:
                waiting = self._skip(waiting, results, stopped)
                for name in [n for n in waiting if self._free(n, results)][: self.workers - len(running)]:
                    waiting.remove(name)
                    running[pool.submit(self.task, name)] = name
                if waiting and not running and not any(self._free(n, results) for n in waiting):
                    if self.held or self.opened:
                        break
                    raise ValueError(f"a circle among {', '.join(waiting)}")
                if not running:
                    continue
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    result = _result(future)
                    if result.done and name in self.held:
                        continue
                    results[name] = result
                    if isinstance(results[name].error, StoppedError):
                        stopped = results[name].error  # type: ignore[assignment]
        return {name: results[name] for name in order if name in results}

    def _free(self, name: str, results: Mapping[str, Result]) -> bool:
        if name in self.held:
            return False
        return all(n in results and results[n].done and n not in self.opened for n in self.depends.get(name, ()))

    def _skip(self, waiting: list[str], results: dict[str, Result], stopped: StoppedError | None) -> list[str]:
        left = []
        for name in waiting:
            failed = [n for n in sorted(self.depends.get(name, ())) if n in results and not results[n].done]
            reason = stopped.message if stopped else f"needs {failed[0]}" if failed else ""
            if reason:
                results[name] = Result(Outcome.SKIPPED, reason)
                self.on_skip(name, reason)
            else:
                left.append(name)
        return left


def _result(future: Future[None]) -> Result:
    try:
        future.result()
    except (EngineError, KubeError) as exc:
        return Result(Outcome.FAILED, str(exc), exc)
    return Result(Outcome.DONE)
