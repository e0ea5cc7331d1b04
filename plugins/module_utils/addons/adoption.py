# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An object that was somebody else's becomes ours: what is noted of it, and which of its fields come along."""

from __future__ import annotations

from dataclasses import replace

from ..kube.objects import Json
from .answers import OVERWRITE, REPORT, Answers
from .examine import Examined
from .model import Addon
from .record import MARKS
from .takeover import KUBECTL, former_holder


def adopting(addon: Addon, answers: Answers, *, of_release: bool) -> Answers:
    """The answers about an object that is not ours yet. A release is taken over whole. Of a single object every value
    that we want is taken; what we do not mention was not meant by ``adopt``, and has the answers of the add-on."""
    if not addon.adopt:
        return Answers(addon.name, REPORT)
    return Answers(addon.name, OVERWRITE, additions=None if of_release else answers)


def as_adopted(examined: Examined, live: Json, *, of_release: bool, explicit: bool) -> None:
    """Who adopts a release takes it over as it is; a single object stays what it was: somebody else's. That it gets
    our marks is no change that anybody has to read about."""
    examined.drift = [drift for drift in examined.drift if MARKS not in drift.field]
    item = examined.plan
    examined.plan = replace(
        item,
        preexisting=not of_release,
        force=item.force or explicit,
        note="of this release" if of_release else "pre-existing",
        former="" if of_release else former_holder(live["metadata"]),
        take_over=KUBECTL if explicit and not of_release else item.take_over,
        fields=tuple(change for change in item.fields if MARKS not in change.path),
    )
