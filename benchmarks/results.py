# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All samples of a run, kept in a file after each turn so that a run that was broken off can go on."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost


@dataclass
class Results:
    """``about`` says what was measured and with what; results of another ``about`` are not mixed with these.

    ``samples`` and ``drift`` hold one entry for each measured command, its cost under the names of ``Cost``.
    """

    about: dict[str, Any]
    samples: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)
    planning: dict[str, list[float]] = field(default_factory=dict)

    def add(self, who: str, step: str, number: int, cost: Cost) -> None:
        self.samples.append({"who": who, "step": step, "round": number, **dataclasses.asdict(cost)})

    def add_drift(self, who: str, state: str, number: int, cost: Cost) -> None:
        self.drift.append({"who": who, "state": state, "round": number, **dataclasses.asdict(cost)})

    def done(self, who: str, number: int) -> bool:
        """Whether this turn was measured to its end."""
        return any(s["who"] == who and s["round"] == number and s["step"] == "remove" for s in self.samples)

    def forget(self, who: str, number: int) -> None:
        """Drop what a turn that was broken off has left."""
        self.samples = [s for s in self.samples if (s["who"], s["round"]) != (who, number)]

    def of(self, who: str, step: str, what: str = "seconds") -> list[float]:
        return [s[what] for s in self.samples if (s["who"], s["step"]) == (who, step)]

    def of_drift(self, who: str, state: str, what: str = "seconds") -> list[float]:
        return [s[what] for s in self.drift if (s["who"], s["state"]) == (who, state)]

    def median(self, who: str, step: str, what: str = "seconds") -> float | None:
        return median(self.of(who, step, what))

    @property
    def contestants(self) -> list[str]:
        return list(dict.fromkeys(s["who"] for s in self.samples if s["step"] == "install"))

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n", encoding="utf-8")
        draft.replace(path)


def load(path: Path) -> Results | None:
    try:
        return Results(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def machine() -> dict[str, int]:
    """Its class, by which another one of the kind can be told; nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory / 2**30)}
