# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Steps of a run: each prints one line with its seconds when it ends."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Step:
    """One step; ``note`` is what is to be said of it at its end."""

    name: str
    note: str = ""
    seconds: float = 0.0


@dataclass
class Steps:
    """Those that held, in their order."""

    done: list[Step] = field(default_factory=list)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time what is done inside; an error passes through, with the step named on the way."""
        step = Step(name)
        began = time.monotonic()
        try:
            yield step
        except BaseException:
            print(f"{time.monotonic() - began:8.1f} s  FAILED  {name}", flush=True)
            raise
        step.seconds = time.monotonic() - began
        self.done.append(step)
        print(f"{step.seconds:8.1f} s  {name}{f': {step.note}' if step.note else ''}", flush=True)
