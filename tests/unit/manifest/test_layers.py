# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Layers: order, merging, contradictions, text instead of structures."""

from __future__ import annotations

import pytest

from .support import codes, errors_of, run


def test_layers_lie_on_each_other_by_name_and_values_know_their_place() -> None:
    manifest, findings = run(
        """
slipway_addons__site: {a: {values: {list: [3], deep: {y: site, z: site}}}}
slipway_addons: {a: {objects: [], values: {list: [1, 2], deep: {x: base, y: base}, gone: 1}}}
""",
        """
slipway_addons__zone: {a: {values: {deep: {z: zone}, gone: null}}}
""",
    )
    assert manifest is not None, findings
    addon = manifest.addons["a"]
    assert addon.values == {"list": [3], "deep": {"x": "base", "y": "site", "z": "zone"}, "gone": None}
    assert [str(addon.origins["deep", key]) for key in "xyz"] == [
        "addons.yml:3:65",
        "addons.yml:2:55",
        "addons1.yml:2:44",
    ]
    assert str(addon.origins["list", 0]) == "addons.yml:2:44"
    assert str(addon.position) == "addons.yml:3:18"


def test_values_layers() -> None:
    manifest, _findings = run("""
slipway_values: {domain: a.example.com, url: "https://{{ slipway_values.domain }}"}
slipway_values__prod: {domain: b.example.com}
slipway_addons: {a: {objects: [], values: {u: "{{ slipway_values.url }}"}}}
""")
    assert manifest is not None
    assert manifest.addons["a"].values == {"u": "https://b.example.com"}


@pytest.mark.parametrize(
    ("base", "over", "clash"),
    [
        ("{k: 1}", "5", True),
        ("5", "{k: 1}", True),
        ("[1]", "{k: 1}", True),
        ("{k: 1}", "[1]", True),
        ("[1]", "x", True),
        ('"{{ x }}"', "{k: 1}", True),
        ("{k: 1}", '"{{ x }}"', True),
        ("{k: 1}", "null", False),
        ("null", "{k: 1}", False),
        ("1", "text", False),
        ("[1]", "[]", False),
        ("{}", "{k: 1}", False),
    ],
)
def test_contradictory_layers(base: str, over: str, clash: bool) -> None:
    _manifest, findings = run(f"""
x: {{}}
slipway_addons: {{a: {{objects: [], values: {{v: {base}}}}}}}
slipway_addons__b: {{a: {{values: {{v: {over}}}}}}}
""")
    assert codes(findings) == (["SLW-1009"] if clash else [])
    if clash:
        (finding,) = errors_of(findings)
        assert "slipway_addons__b" in finding.message
        assert "addons.yml:3" in finding.message
        assert finding.position.line == 4


@pytest.mark.parametrize(
    "text",
    [
        """'{"a": {"objects": [], "values": {"x": 1}}}'""",
        "'a: {objects: [], values: {x: 1}}'",
        """'{"a": {"objects": [], "values": {"x": "{{ one }}"}}}'""",
        '"{{ whole }}"',
    ],
)
def test_structures_as_text(text: str) -> None:
    manifest, findings = run(f"one: 1\nwhole: {{a: {{objects: [], values: {{x: 1}}}}}}\nslipway_addons: {text}")
    assert manifest is not None, findings
    assert manifest.addons["a"].values == {"x": 1}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("loki", "SLW-1004"),
        ("'[1, 2]'", "SLW-1004"),
        ("'{broken'", "SLW-1004"),
        ("[a]", "SLW-1002"),
        ("3", "SLW-1002"),
        ('"{{ nope }}"', "SLW-1301"),
        ('"{{ [1] }}"', "SLW-1002"),
    ],
)
def test_what_is_no_map(text: str, code: str) -> None:
    _manifest, findings = run(f"slipway_addons: {text}")
    assert codes(findings) == [code]


def test_nothing_at_all_is_an_empty_manifest() -> None:
    manifest, findings = run("")
    assert manifest is not None
    assert manifest.addons == {}
    assert findings == []
