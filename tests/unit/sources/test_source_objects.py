# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which documents are objects."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.objects import flatten, refuse_duplicates


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


def test_lists_are_opened_and_empty_documents_dropped() -> None:
    nested = {"apiVersion": "v1", "kind": "List", "items": [config_map("b"), None]}
    documents = [None, {}, {"apiVersion": "v1", "kind": "List", "items": [config_map("a"), nested]}]
    assert [obj["metadata"]["name"] for doc in documents for obj in flatten(doc, "t")] == ["a", "b"]


def test_items_of_a_typed_list_inherit_its_kind() -> None:
    typed = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}
    assert list(flatten(typed, "t")) == [config_map("a")]


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ("text", "string"),
        ([1], "list"),
        ({"kind": "A", "metadata": {"name": "a"}}, "apiVersion"),
        ({"apiVersion": "v1", "metadata": {"name": "a"}}, "kind"),
        ({"apiVersion": "v1", "kind": "A"}, "metadata"),
        ({"apiVersion": "v1", "kind": "A", "metadata": {"name": 5}}, "name"),
        ({"apiVersion": "v1", "kind": "A", "metadata": {"generateName": "a-"}}, "generateName"),
        ({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "labels": ["b"]}}, "labels"),
    ],
)
def test_what_is_no_object_is_refused(document: Any, word: str) -> None:
    with pytest.raises(RenderError, match=word) as caught:
        list(flatten(document, "some/file.yaml"))
    assert caught.value.code == "SLW-2002"
    assert "some/file.yaml" in caught.value.message


def test_the_same_object_twice_is_refused_by_group_kind_namespace_and_name() -> None:
    here, there = (config_map("a"), "one.yaml"), (config_map("a", namespace="apps"), "two.yaml")
    refuse_duplicates([here, (config_map("b"), "x"), (config_map("a", namespace="other"), "y")], "apps")
    with pytest.raises(RenderError, match=r"one\.yaml.*two\.yaml") as caught:
        refuse_duplicates([here, there], "apps")
    assert caught.value.code == "SLW-2003"


def test_another_version_of_the_same_kind_is_the_same_object() -> None:
    old = {**config_map("a"), "apiVersion": "example.com/v1beta1"}
    new = {**config_map("a"), "apiVersion": "example.com/v1"}
    with pytest.raises(RenderError, match="SLW-2003"):
        refuse_duplicates([(old, "x"), (new, "y")], "apps")
