# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""YAML means to us what it means to Helm and kubectl."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources import yaml
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.context import RenderContext
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.render import render

SCALARS = """
a: 1e3
b: 08
c: 0644
d: y
e: 1:30
f: 0o14
g: 1_000
h: off
i: 1.0
j: .5
k: =
l: 0x1F
m: 2020-01-01
n: 123456789012345678901234567890
o: .inf2
p: 1.5e3
q: 12e4567
r: +12
s: 0b11
t: 2.50
u: ~
v: "007"
w: -0x1f
x: 2001-12-14T21:59:43.10Z
z: 18446744073709551615
5: five
on: on
1.5: float
base: &base {k1: 1, k2: 2}
over: {<<: *base, k2: 3}
"""


def one(text: str) -> object:
    return yaml.load_all(text, "t.yaml")[0]


def test_scalars_are_what_go_makes_of_them() -> None:
    assert one(SCALARS) == {
        "a": 1000, "b": 8, "c": 420, "d": True, "e": "1:30", "f": 12, "g": 1000, "h": False, "i": 1, "j": 0.5,
        "k": "=", "l": 31, "m": "2020-01-01", "false": 1.2345678901234568e29, "o": ".inf2", "p": 1500, "q": "12e4567",
        "r": 12, "s": 3, "t": 2.5, "u": None, "v": "007", "w": -31, "x": "2001-12-14T21:59:43.10Z",
        "z": 18446744073709551615, "5": "five", "true": True, "1.5": "float",
        "base": {"k1": 1, "k2": 2}, "over": {"k1": 1, "k2": 3},
    }  # fmt: skip


def test_helm_reads_the_same(context: RenderContext, addon: Callable[..., Addon]) -> None:
    """The chart prints its values as JSON, so Helm's own reader is the judge."""
    text = SCALARS.replace("z: 18446744073709551615\n", "").replace("1.5: float\n", "")
    ours = one(text)
    # a chart's values.yaml is read by the same library as manifests
    rendered = render(addon("echo", {"text": text, "parsed": ours}), context)
    theirs = json.loads(base64.b64decode(rendered.objects[0]["data"]["values"]))
    assert theirs["theirs"] == ours
    assert theirs["text"] == text


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\na: 2\n", 2), ("a: [1\n", 2), ("a: 1\n---\n\tb: 2\n", 3), ("a: !thing 1\n", 1), ("a: .nan\n", 1)],
)
def test_errors_name_the_line(text: str, line: int) -> None:
    with pytest.raises(RenderError) as caught:
        yaml.load_all(text, "dir/file.yaml")
    assert caught.value.code == "SLW-2001"
    assert caught.value.message.startswith(f"dir/file.yaml:{line}: ")


def test_charts_may_repeat_a_key() -> None:
    assert yaml.load_all("a: 1\na: 2\n", "t.yaml", strict=False) == [{"a": 2}]


@pytest.mark.parametrize(
    "text", ["a: &x [*x]\n", "a: !!python/object/apply:os.getcwd []\n", "? {a: 1}\n: 2\n", "\x00", "[" * 20000]
)
def test_hostile_documents_are_refused(text: str) -> None:
    with pytest.raises(RenderError, match="SLW-2001"):
        yaml.load_all(text, "t.yaml")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abyn01-~=.e:", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_dump_is_read_back_unchanged(value: object) -> None:
    assert yaml.load_all(yaml.dump(value), "t.yaml") == [value]


TRICKY = st.text("ab: #-'\"\\|>%@`{}[]&*!?\t\n\r\x85\u2028 ", max_size=12)


@given(st.recursive(TRICKY, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TRICKY, inner, max_size=2)))
def test_text_for_people_is_read_back_unchanged(value: object) -> None:
    assert yaml.load_all(yaml.pretty(value), "t.yaml") == [value]


def test_text_for_people_shows_lines_as_lines() -> None:
    assert yaml.pretty({"b": 1, "a": {"conf": "one\n  two\n", "word": "x"}}) == (
        "a:\n  conf: |\n    one\n      two\n  word: x\nb: 1\n"
    )


@given(st.text("0123456789_+-.eExXbBoO:yYnN~=", min_size=1, max_size=6))
def test_dumped_strings_stay_strings(text: str) -> None:
    assert one(yaml.dump({"k": text})) == {"k": text}
