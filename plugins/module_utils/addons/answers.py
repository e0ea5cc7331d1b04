# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is done with a field that somebody else changed: the four answers, and who may give them.

The nearest one counts: this finding on the command line, its add-on on the command line, a rule of the manifest, what
an earlier run was told to keep, and ``report`` where nobody said anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from ..kube.objects import ObjectId
from .errors import FindingsError
from .finding import Finding, Level
from .model import Addon, DriftRule
from .names import did_you_mean

REPORT, KEEP, OVERWRITE, ADOPT = "report", "keep", "overwrite", "adopt"
_ID = re.compile(r"[0-9a-f]{6}")


def finding_id(addon: str, identity: ObjectId, name: str) -> str:
    """Six hex digits that stand for one field of one object, in every run: what people copy from a plan."""
    return hashlib.blake2b("\n".join((addon, *_parts(identity), name)).encode(), digest_size=3).hexdigest()


@dataclass(frozen=True)
class Decisions:
    """The command line: names of add-ons and ids of findings. ``overwrite`` wins over ``keep``, both over ``adopt``."""

    overwrite: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()
    adopt: frozenset[str] = frozenset()

    def said(self, name: str) -> str:
        for answer, names in ((OVERWRITE, self.overwrite), (KEEP, self.keep), (ADOPT, self.adopt)):
            if name in names:
                return answer
        return ""

    @property
    def names(self) -> frozenset[str]:
        return self.overwrite | self.keep | self.adopt

    def answers(self, addon: Addon) -> Answers:
        return Answers(addon.name, addon.drift, addon.drift_rules, self)


@dataclass(frozen=True)
class Answers:
    """The answers for one add-on."""

    addon: str
    default: str = REPORT
    rules: tuple[DriftRule, ...] = ()
    decisions: Decisions = field(default_factory=Decisions)
    additions: Answers | None = None
    """The answers about what others added, where those are not the same."""

    @property
    def mode(self) -> str:
        """The answer for the add-on as a whole, where no single field is asked about."""
        return self.decisions.said(self.addon) or self.default

    def of(self, identity: ObjectId, name: str, manager: str, kept: Iterable[str] = ()) -> str:
        """The answer for field ``name`` that ``manager`` holds. ``kept``: what earlier runs were told to keep."""
        said = self.decisions.said(finding_id(self.addon, identity, name)) or self.decisions.said(self.addon)
        if said:
            return said
        ruled = next((r.answer for r in self.rules if _fits(r, identity, name, manager)), self.default)
        return KEEP if ruled == REPORT and name in kept else ruled

    def said(self, identity: ObjectId, name: str) -> bool:
        """Whether the command line spoke of this field: only that has to be remembered, rules stand in the manifest."""
        return self.named(identity, name) or bool(self.decisions.said(self.addon))

    def named(self, identity: ObjectId, name: str) -> bool:
        """Whether the command line spoke of this field, and not of the add-on as a whole."""
        return bool(self.decisions.said(finding_id(self.addon, identity, name)))


def check_names(decisions: Decisions, addons: Collection[str], ids: Iterable[str]) -> list[Finding]:
    """Hints about findings that are answered and are not there: the same command may be given twice.

    Raises ``FindingsError`` SLW-3304 for names that are neither those of ``addons`` nor can be one of ``ids``.
    """
    rest = decisions.names - set(addons) - set(ids)
    gone = {name for name in rest if _ID.fullmatch(name)}
    advice = "names of add-ons, and the ids that a plan shows beside its findings, can be answered"
    if rest - gone:
        raise FindingsError(
            Finding(
                "SLW-3304",
                f"{name!r} is neither an add-on nor a finding",
                (f"slipway_{decisions.said(name)}",),
                advice=did_you_mean(name, addons) or advice,
            )
            for name in sorted(rest - gone)
        )
    return [
        Finding(
            "SLW-3304",
            f"there is no finding {name} (any more)",
            (f"slipway_{decisions.said(name)}",),
            level=Level.HINT,
        )
        for name in sorted(gone)
    ]


def _parts(identity: ObjectId) -> tuple[str, str, str, str]:
    return identity.group, identity.kind, identity.namespace, identity.name


def _fits(rule: DriftRule, identity: ObjectId, name: str, manager: str) -> bool:
    return (
        (rule.group is None or rule.group == identity.group)
        and _like(rule.kind, identity.kind)
        and _like(rule.namespace, identity.namespace)
        and _like(rule.name, identity.name)
        and _like(rule.field, name)
        and _like(rule.manager, manager)
    )


def _like(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    """``*`` stands for anything; brackets mean themselves, as field paths are full of them."""
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
