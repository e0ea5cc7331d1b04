# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The parts on their own: graphs, names, simple texts, generated files, codes."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ansible_collections.slipway.cluster.plugins.module_utils.addons import graph, simple
from ansible_collections.slipway.cluster.plugins.module_utils.addons.codes import CODES
from ansible_collections.slipway.cluster.plugins.module_utils.addons.names import nearest
from ansible_collections.slipway.cluster.plugins.module_utils.addons.schema import editor
from schemas.generate import texts

from .support import PlainEvaluator

ROOT = Path(__file__).resolve().parents[3]
GRAPHS = st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4), max_size=12)


@pytest.mark.parametrize("path", sorted(texts()))
def test_generated_files_are_those_committed(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == texts()[path], "run: make generate"


def test_every_code_has_a_page() -> None:
    for code, title in CODES.items():
        text = (ROOT / "docs" / "errors" / f"{code}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {code}: {title}\n")
        assert all(f"\n## {heading}\n" in text for heading in ("What it means", "Example", "What to do"))


def test_every_code_is_in_use_and_in_the_table() -> None:
    folders = (ROOT / "plugins" / "module_utils" / "addons", ROOT / "plugins" / "plugin_utils")
    files = [file for folder in folders for file in folder.rglob("*.py")]
    used = {
        code
        for file in files
        if file.name != "codes.py"
        for code in re.findall(r"SLW-1\d{3}", file.read_text(encoding="utf-8"))
    }
    assert used - {"SLW-1310"} == set(CODES)


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({"slipway_name": "prod", "slipway_addons": {"loki": {}, "x": None}, "other": 1}, True),
        ({"slipway_addons": {"loki": {"replicas": "{{ [3, slipway_nodes.workers] | min }}", "timeout": 5}}}, True),
        ({"slipway_addons": {"loki": {"replicas": "3"}}}, False),
        ({"slipway_addons": {"loki": {"replcas": 3}}}, False),
        ({"slipway_addons__site": {"loki": {"drift": "no"}}}, False),
        ({"slipway_addons": {"a": {"wait": {"conditions": [{"kind": "X", "type": "Ready"}]}}}}, True),
        ({"slipway_addons": {"a": {"wait": {"conditions": [{"kind": "X"}]}}}}, False),
    ],
)
def test_the_schema_for_editors(document: Any, valid: bool) -> None:
    Draft202012Validator.check_schema(editor("manifest"))
    Draft202012Validator.check_schema(editor("catalog"))
    shipped = json.loads((ROOT / "schemas" / "slipway_addons.schema.json").read_text(encoding="utf-8"))
    assert Draft202012Validator(shipped).is_valid(document) is valid


@given(GRAPHS)
def test_circles_and_layers_of_any_graph(edges: dict[int, list[int]]) -> None:
    found = graph.circles(edges)
    for path in found:
        assert path[0] == path[-1]
        assert len(path) > 1
        assert all(target in edges[name] for name, target in pairwise(path))
    order = [name for component in graph.components(edges) for name in component]
    assert sorted(order) == sorted(edges)
    if not found:
        place = {name: at for at, name in enumerate(order)}
        steps = graph.layers(edges)
        level = {name: at for at, step in enumerate(steps) for name in step}
        for name, targets in edges.items():
            for target in targets:
                if target in edges:
                    assert place[target] < place[name]
                    assert level[target] < level[name]


@given(GRAPHS, st.integers(0, 12))
def test_closure_and_reverse(edges: dict[int, list[int]], start: int) -> None:
    edges.setdefault(start, [])
    found = graph.closure(edges, [start])
    assert all(target in found or target not in edges for name in found for target in edges[name])
    assert graph.closure(graph.reverse(graph.reverse(edges)), [start]) == found


def test_a_graph_of_ten_thousand_names() -> None:
    edges = {n: [n - 1] if n else [] for n in range(10_000)}
    assert len(graph.layers(edges)) == 10_000
    assert graph.circles({**edges, 0: [9_999]})[0][0] in edges


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("replcas", "replicas"),
        ("Replicas", "replicas"),
        ("load-balancer", "load_balancer"),
        ("zzz", ""),
        (3, ""),
    ],
)
def test_the_nearest_name(name: object, best: str) -> None:
    assert nearest(name, ["replicas", "load_balancer", "timeout"]) == best


SHARED = {"a": "x", "n": 3, "deep": {"b": None, "l": [1]}, "t": True, "f": 1.5, "items": 1}
PIECES = st.sampled_from(
    [
        "{{ slipway_values.a }}",
        "{{slipway_values.n}}",
        "{{ slipway_values.deep.b }}",
        "{{ slipway_values.deep.l }}",
        "{{ slipway_values.t }}",
        "{{ slipway_values.f }}",
        "-",
        " ",
        "x.y",
        "}}",
        "\n",
        "{",
        "{{ slipway_values.deep }}",
    ]
)


@given(st.lists(PIECES, max_size=5).map("".join))
def test_simple_texts_give_what_the_template_engine_gives(text: str) -> None:
    quick = simple.evaluate(text, SHARED)
    if quick is not simple.MISSING:
        slow = PlainEvaluator().evaluate(text, {"slipway_values": SHARED})
        assert (quick, type(quick)) == (slow, type(slow))


@pytest.mark.parametrize(
    "text",
    [
        "{{ slipway_values.items }}",
        "{{ slipway_values.x }}",
        "{{ slipway_values['a'] }}",
        "x",
        "{{ a }}",
        "{{ slipway_values.a }}\n",
        "{{ slipway_values.a }}{% if 1 %}{% endif %}",
        "{{ slipway_values.a | upper }}",
    ],
)
def test_texts_that_are_not_simple(text: str) -> None:
    assert simple.evaluate(text, SHARED) is simple.MISSING
