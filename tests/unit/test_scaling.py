# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Scaling down where the API server could not be asked, and what is no scaling down at all."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.desired import Desired
from ansible_collections.slipway.cluster.plugins.module_utils.addons.diff import ABSENT, FieldChange
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon, ObjectsSource
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, AddonPlan, ObjectPlan, Op
from ansible_collections.slipway.cluster.plugins.module_utils.addons.scaling import refuse_scale_down
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import ObjectId, Resource

SETS = Resource("apps", "v1", "StatefulSet", "statefulsets", True)


class Client:
    """Answers every read with one object, or with a refusal."""

    def __init__(self, replicas: int | None, status: int = 200) -> None:
        self._replicas, self._status = replicas, status

    def get(self, path: str) -> dict[str, Any] | None:
        if self._status != 200:
            raise ApiError(self._status, "Forbidden", "no", (), f"GET {path}")
        return None if self._replicas is None else {"spec": {"replicas": self._replicas}}


def item(op: Op = Op.CHANGE, wanted: int | None = None, **more: Any) -> ObjectPlan:
    identity = ObjectId("apps", "StatefulSet", "a", "b")
    body = {"spec": {} if wanted is None else {"replicas": wanted}}
    return ObjectPlan(op, identity, Desired(identity, SETS, body), payload=body, **more)


def messages(
    client: Client, *objects: ObjectPlan, scale_down: str = "unsafe", consent: tuple[str, ...] = ()
) -> list[str]:
    addon = Addon("one", ObjectsSource(()), "a", "one", scale_down=scale_down)
    plan = AddonPlan("one", Action.UPGRADE, "values", addon=addon, objects=list(objects))
    refuse_scale_down(client, [plan], consent)  # type: ignore[arg-type]
    assert (plan.action is Action.BLOCKED) == bool(plan.problems)
    return [finding.message for finding in plan.problems]


def changed(before: object, after: object, path: str = "spec.replicas") -> ObjectPlan:
    return item(fields=(FieldChange("metadata.labels", 1, 0), FieldChange(path, before, after)))


def test_without_a_dry_run_the_live_object_is_asked() -> None:
    assert "from 3 to 1" in messages(Client(3), item(wanted=1, unverified="no right to dry-run"))[0]
    assert not messages(Client(1), item(wanted=3, unverified="no right to dry-run"))
    assert not messages(Client(None), item(wanted=1, unverified="its CRD arrives"))
    assert not messages(Client(3, status=403), item(wanted=1, unverified="no right"))
    with pytest.raises(ApiError):
        messages(Client(3, status=500), item(wanted=1, unverified="no right"))


def test_a_set_that_goes_counts_with_its_replicas() -> None:
    assert "with its 2 replicas" in messages(Client(2), item(Op.DELETE))[0]
    assert not messages(Client(0), item(Op.DELETE))
    assert not messages(Client(None), item(Op.DELETE)), "somebody has deleted it"
    assert not messages(Client(2), item(Op.KEEP))


@pytest.mark.parametrize(
    ("one", "lower"),
    [
        (changed(3, 2), True),
        (changed(2, 0), True),
        (changed(3, ABSENT), True),
        (changed(2, 3), False),
        (changed(ABSENT, 1), False),
        (changed(3, 2, "spec.minReplicas"), False),
        (item(Op.CREATE, wanted=1), False),
        (item(Op.NONE, wanted=1), False),
    ],
)
def test_what_lowers_replicas(one: ObjectPlan, lower: bool) -> None:
    assert bool(messages(Client(5), one)) == lower


def test_consent_and_safe_add_ons() -> None:
    assert not messages(Client(3), changed(3, 2), scale_down="safe")
    assert not messages(Client(3), changed(3, 2), consent=("one",))
    assert messages(Client(3), changed(3, 2), consent=("other",))
