# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Drift on its own: what is not as it was applied, and nothing of what a run would change for other reasons."""

from __future__ import annotations

from collections.abc import Iterator

from ..addons.masking import Masker
from ..addons.model import JSON
from ..addons.plan import AddonPlan, Op, Plan
from .plan_json import drift_fields, plan_dict
from .plan_text import drift_only


def drift_lines(plan: Plan, masker: Masker) -> list[str]:
    """One head, and the drifted add-ons; those that are not installed have nothing to differ from."""
    installed = [addon for addon in plan.addons if addon.record is not None]
    drifted = [addon for addon in installed if _result(addon) != "unchanged"]
    many = len(installed)
    lines = [
        (
            f"DRIFT {plan.name}  cluster {plan.cluster[:4]}  {many} add-on{'' if many == 1 else 's'}: "
            f"{len(drifted)} drifted, {many - len(drifted)} as applied  ({plan.seconds:.1f} s)"
        )
    ]
    for addon in drifted:
        lines += drift_only(addon) if addon.drift else [f"! {addon.name:<20} drift"]
        lines += _gone(addon)
    lines += [f"limit: {limit}" for limit in plan.limits]
    return [masker.text(line) for line in lines]


def drift_dict(plan: Plan, masker: Masker) -> dict[str, JSON]:
    """Like a plan, with nothing but drift in it."""
    body = plan_dict(plan, masker)
    results = {_result(addon) for addon in plan.addons if addon.record is not None}
    body["addons"] = [
        {
            "name": addon.name,
            "result": _result(addon),
            "drift": masker.value([drift_fields(d) for d in addon.drift]),
            "gone": masker.value([line.strip() for line in _gone(addon)]),
        }
        for addon in plan.addons
        if addon.record is not None
    ]
    body["result"] = "drift" if "drift" in results else "unchanged"
    return body


def _result(addon: AddonPlan) -> str:
    open_ones = any(d.decision != "keep" for d in addon.drift)
    return "drift" if open_ones or any(True for _line in _gone(addon)) else "unchanged"


def _gone(addon: AddonPlan) -> Iterator[str]:
    """What an install makes again: no opinion is asked for."""
    if addon.stale_release:
        yield f"    release: {addon.stale_release}"
    for item in addon.objects:
        if item.op is Op.CREATE and item.note == "was deleted":
            yield f"    {item.id}  was deleted: an install makes it again"
