# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of a run: one line for each state change; on a terminal also a moving summary below them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from ansible_collections.slipway.cluster.plugins.module_utils.addons.segments import Earlier
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event

if TYPE_CHECKING:
    from rich.status import Status

_FINAL = ("ready", "removed", "unchanged", "failed", "skipped")


def progress_line(event: Event, seconds: float) -> str:
    """``  12.3 s  monitoring           ready      14 objects applied``; columns are fixed."""
    text = f"{seconds:7.1f} s  {event.addon:<20} {event.state:<10} {event.detail}"
    return text.rstrip()


class Progress:
    """Lines go to ``say``. On a terminal they are drawn here, above a summary that is redrawn in place."""

    def __init__(self, total: int, say: Callable[[str], None], earlier: Earlier | None = None) -> None:
        """``total``: add-ons to be worked on now; ``earlier``: what segments of the same run before this one did."""
        before = earlier or Earlier()
        self._say = say
        self._before = len(before.results)
        self._total = total + self._before
        self._lock = threading.Lock()
        self._started = time.monotonic() - before.seconds
        self._states: dict[str, str] = {}
        self._status = _terminal_status() if total and somebody_looks() else None

    def __enter__(self) -> Progress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()
            self._status.console.file.close()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if event.addon:
                self._states[event.addon] = event.state
            line = progress_line(event, time.monotonic() - self._started)
            if self._status is None:
                self._say(line)
                return
            self._status.console.print(line, markup=False, highlight=False, soft_wrap=True)
            self._status.update(self._summary())

    def _summary(self) -> str:
        done = self._before + sum(1 for state in self._states.values() if state in _FINAL)
        working = [name for name, state in self._states.items() if state not in _FINAL]
        return f"{done} of {self._total} done" + (f", working on {', '.join(working)}" if working else "")


def somebody_looks() -> bool:
    """ansible-runner, and AWX with it, gives every job a terminal, and nobody sits at it."""
    return sys.stdout.isatty() and "AWX_ISOLATED_DATA_DIR" not in os.environ and os.environ.get("TERM") != "dumb"


def _terminal_status() -> Status:
    from rich.console import Console

    # Not sys.stdout itself: Ansible forks with that one's lock held, and another thread would wait for it for ever.
    terminal = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    return Console(file=terminal).status("")
