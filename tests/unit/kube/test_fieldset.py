# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Sets of fields: what is in them, what is left when a part goes, and what an object says in them."""

from __future__ import annotations

from ansible_collections.slipway.cluster.plugins.module_utils.kube.additions import leaves
from ansible_collections.slipway.cluster.plugins.module_utils.kube.fieldset import divide, extract
from ansible_collections.slipway.cluster.plugins.module_utils.kube.ownership import union

NAME, PORT = 'k:{"name":"web"}', 'k:{"containerPort":80,"protocol":"TCP"}'
FIELDS = {
    "f:metadata": {"f:labels": {".": {}, "f:a": {}, "f:b.c/d": {}}, "f:finalizers": {'v:"x"': {}}},
    "f:spec": {
        "f:containers": {
            NAME: {
                ".": {},
                "f:name": {},
                "f:image": {},
                "f:args": {},
                "f:ports": {PORT: {".": {}, "f:containerPort": {}}},
            }
        }
    },
}
LIVE = {
    "metadata": {"labels": {"a": "1", "b.c/d": "2", "more": "3"}, "finalizers": ["x", "y"]},
    "spec": {
        "replicas": 2,
        "containers": [
            {"name": "side", "image": "s"},
            {"name": "web", "image": "w", "args": ["-v"], "tty": True,
             "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 81, "protocol": "TCP"}]},
        ],
    },
}  # fmt: skip


def test_leaves_are_what_is_held_as_a_whole() -> None:
    web = ("spec", "containers", {"name": "web"})
    assert list(leaves(FIELDS)) == [
        ("metadata", "labels", "a"),
        ("metadata", "labels", "b.c/d"),
        ("metadata", "finalizers", {"=": "x"}),
        (*web, "name"),
        (*web, "image"),
        (*web, "args"),
        (*web, "ports", {"containerPort": 80, "protocol": "TCP"}, "containerPort"),
    ]


def test_divided_parts_unite_to_the_whole() -> None:
    taken, rest = divide(FIELDS, lambda path: path[-1] in ("image", "a"))
    assert [path[-1] for path in leaves(taken)] == ["a", "image"]
    assert not {"image", "a"} & {path[-1] for path in leaves(rest) if isinstance(path[-1], str)}
    assert union(taken, rest) == FIELDS
    # Who holds a part of a list's item holds the item: it must not go with the other's part.
    assert taken["f:spec"]["f:containers"][NAME]["."] == rest["f:spec"]["f:containers"][NAME]["."] == {}
    assert divide(FIELDS, lambda path: True) == (FIELDS, {})
    assert divide(FIELDS, lambda path: False) == ({}, FIELDS)


def test_extract_says_what_is_live_in_these_fields_and_nothing_else() -> None:
    assert extract(LIVE, FIELDS) == {
        "metadata": {"labels": {"a": "1", "b.c/d": "2"}, "finalizers": ["x"]},
        "spec": {
            "containers": [
                {"name": "web", "image": "w", "args": ["-v"], "ports": [{"containerPort": 80, "protocol": "TCP"}]}
            ]
        },
    }
    assert extract({"spec": {}}, {"f:spec": {"f:gone": {}}, "f:data": {"f:x": {}}}) == {"spec": {}}
