# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who may answer for a field that somebody changed, and which answer counts."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.answers import (
    Answers,
    Decisions,
    check_names,
    finding_id,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Level
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import DriftRule
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import ObjectId

WEB = ObjectId("apps", "Deployment", "shop", "web")
IMAGE = "spec.template.spec.containers[web].image"


def answer(
    *rules: DriftRule, default: str = "report", said: Decisions | None = None, kept: tuple[str, ...] = ()
) -> str:
    return Answers("portal", default, rules, said or Decisions()).of(WEB, IMAGE, "kubectl-set", kept)


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({}, True),
        ({"kind": "Deployment", "name": "web", "namespace": "shop", "group": "apps"}, True),
        ({"kind": "StatefulSet"}, False),
        ({"group": ""}, False),
        ({"namespace": "sho"}, False),
        ({"name": "w*"}, True),
        ({"field": "spec.template.spec.containers[*].image"}, True),
        ({"field": "spec.template.spec.containers[web].image"}, True),
        ({"field": "spec.template.spec.containers[w].image"}, False),
        ({"field": "spec.template"}, False),
        ({"manager": "kubectl*"}, True),
        ({"manager": "helm"}, False),
    ],
)
def test_a_rule_fits_where_all_of_its_keys_do(rule: dict[str, str], fits: bool) -> None:
    assert answer(DriftRule("keep", **rule)) == ("keep" if fits else "report")


def test_the_nearest_answer_counts() -> None:
    found = finding_id("portal", WEB, IMAGE)
    rule = DriftRule("keep")
    assert answer() == "report"
    assert answer(default="overwrite") == "overwrite"
    assert answer(rule, DriftRule("overwrite"), default="overwrite") == "keep"
    assert answer(rule, said=Decisions(overwrite=frozenset({"portal"}))) == "overwrite"
    both = Decisions(overwrite=frozenset({"portal"}), adopt=frozenset({found}))
    assert answer(rule, said=both) == "adopt"
    assert answer(said=Decisions(overwrite=frozenset({"others"}))) == "report"


def test_what_was_kept_yields_to_every_answer_but_report() -> None:
    assert answer(kept=(IMAGE,)) == "keep"
    assert answer(kept=("spec.replicas",)) == "report"
    assert answer(default="overwrite", kept=(IMAGE,)) == "overwrite"
    assert answer(DriftRule("adopt"), kept=(IMAGE,)) == "adopt"


def test_an_id_is_that_of_one_field_of_one_object() -> None:
    ids = {
        finding_id("portal", WEB, IMAGE),
        finding_id("portal", WEB, "spec.replicas"),
        finding_id("other", WEB, IMAGE),
        finding_id("portal", ObjectId("apps", "Deployment", "shop", "api"), IMAGE),
    }
    assert len(ids) == 4
    assert finding_id("portal", WEB, IMAGE) in ids


def test_names_that_are_neither_add_ons_nor_ids_are_told() -> None:
    said = Decisions(frozenset({"portal", "0a1b2c"}), frozenset({"portl"}), frozenset({"ffffff"}))
    with pytest.raises(FindingsError, match=r"SLW-3304 slipway_keep: 'portl' is neither .* 'portal'"):
        check_names(said, ["portal"], ["0a1b2c"])
    hints = check_names(Decisions(adopt=frozenset({"ffffff"})), ["portal"], ["0a1b2c"])
    assert [(h.level, h.path, "ffffff" in h.message) for h in hints] == [(Level.HINT, ("slipway_adopt",), True)]
