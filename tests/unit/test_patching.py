# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Patches of the manifest: laid over what a source renders, and written for what somebody changed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon, ChartSource
from ansible_collections.slipway.cluster.plugins.module_utils.addons.patching import merge, partial, patched
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.render import Rendered
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.yaml import load_all
from ansible_collections.slipway.cluster.plugins.module_utils.kube.ownership import value_at

WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"a": "1"}},
    "spec": {
        "replicas": 2,
        "containers": [
            {"name": "web", "image": "web:1", "args": ["a", "b"], "env": [{"name": "A", "value": "1"}]},
            {"name": "side", "image": "side:1"},
        ],
    },
}


def spec(**fields: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": "web"}, "spec": fields}


@pytest.mark.parametrize(
    ("patch", "path", "value"),
    [
        ({"replicas": 5}, ("spec", "replicas"), 5),
        ({"replicas": None}, ("spec", "replicas"), None),
        ({"strategy": {"type": "Recreate", "x": None}}, ("spec", "strategy"), {"type": "Recreate"}),
        (
            {"containers": [{"name": "web", "image": "web:2"}]},
            ("spec", "containers", {"name": "web"}, "image"),
            "web:2",
        ),
        ({"containers": [{"name": "web", "args": ["c"]}]}, ("spec", "containers", {"name": "web"}, "args"), ["c"]),
        ({"containers": [{"name": "new", "image": "n"}]}, ("spec", "containers", {"name": "new"}, "image"), "n"),
        ({"containers": [{"name": "side", "$patch": "delete"}]}, ("spec", "containers", {"name": "side"}), None),
    ],
)
def test_a_patch_is_laid_over_and_leaves_the_rest(patch: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    before = copy.deepcopy(WEB)
    after = merge(WEB, spec(**patch))
    assert value_at(after, path) == value
    assert before == WEB
    untouched = ("spec", "containers", {"name": "web"}, "env", {"name": "A"}, "value")
    assert value_at(after, untouched) == "1"
    assert next(c["name"] for c in after["spec"]["containers"]) == "web"


def addon(*patches: dict[str, Any]) -> Addon:
    return Addon("portal", ChartSource(path="/x"), "shop", "portal", patches=patches)


def test_the_release_holds_what_was_patched() -> None:
    rendered = Rendered(objects=(WEB,), identity="x", manifest="---\n# Source: x\nkind: Deployment\n")
    after = patched(addon(spec(replicas=7)), rendered)
    assert after.objects[0]["spec"]["replicas"] == 7
    assert load_all(after.manifest, "test") == [after.objects[0]]
    assert patched(addon(), rendered) is rendered


@pytest.mark.parametrize("change", [{"name": "wbe"}, {"name": "web", "namespace": "elsewhere"}])
def test_a_patch_that_fits_nothing_is_an_error(change: dict[str, str]) -> None:
    rendered = Rendered(objects=(WEB,), identity="x")
    with pytest.raises(RenderError, match=r"SLW-2504.*Deployment wbe|SLW-2504.*Deployment web") as refused:
        patched(addon({"kind": "Deployment", "metadata": change}), rendered)
    assert "it renders Deployment web" in str(refused.value)
    with pytest.raises(RenderError, match="SLW-2504"):
        patched(
            addon({"apiVersion": "extensions/v1beta1", "kind": "Deployment", "metadata": {"name": "web"}}), rendered
        )


PLACES: list[tuple[Any, ...]] = [
    ("spec", "replicas"),
    ("spec", "paused"),
    ("metadata", "labels", "a"),
    ("metadata", "annotations", "x.example.com/y"),
    ("spec", "containers", {"name": "web"}, "image"),
    ("spec", "containers", {"name": "web"}, "args"),
    ("spec", "containers", {"name": "web"}, "env", {"name": "A"}, "value"),
    ("spec", "containers", {"name": "side"}, "resources", "limits", "memory"),
]


@given(st.dictionaries(st.sampled_from(range(len(PLACES))), st.one_of(st.text(), st.integers(), st.none()), min_size=1))
def test_a_written_patch_gives_exactly_what_is_live(changes: dict[int, Any]) -> None:
    fields = [(PLACES[at], value) for at, value in changes.items()]
    after = merge(WEB, partial(WEB, fields))
    for path, value in fields:
        assert value_at(after, path) == value
    for at, path in enumerate(PLACES):
        if at not in changes:
            assert value_at(after, path) == value_at(WEB, path)


def test_items_of_lists_are_written_and_taken_away_by_their_names() -> None:
    env = ("spec", "containers", {"name": "web"}, "env")
    patch = partial(WEB, [((*env, {"name": "A"}), None), ((*env, {"name": "B"}), {"name": "B", "value": "2"})])
    assert value_at(merge(WEB, patch), env) == [{"name": "B", "value": "2"}]
