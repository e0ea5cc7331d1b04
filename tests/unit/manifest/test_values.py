# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Evaluation: types, order, what is undefined, circles."""

from __future__ import annotations

from typing import Any

import pytest

from .support import codes, errors_of, hints_of, run


def values(expressions: str, **kwargs: Any) -> Any:
    manifest, findings = run(expressions, **kwargs)
    assert manifest is not None, [str(f) for f in findings]
    return manifest.addons["a"].values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\"{{ '007' }}\"", "007"),
        ("\"{{ '7' }}\"", "7"),
        ('"{{ 7 }}"', 7),
        ('"{{ [3, 2] | min }}"', 2),
        ('"a{{ 7 }}"', "a7"),
        ('"{{ true }}"', True),
        ("\"{{ 'True' }}\"", "True"),
        ('"{{ none }}"', None),
        ('"x{{ none }}"', "x"),
        ("\"{{ {'a': [1]} }}\"", {"a": [1]}),
        ("2026-01-31", "2026-01-31"),
        ('!unsafe "{{ kept }}"', "{{ kept }}"),
        ('"{{ slipway_values.n }}"', 3),
        ('"{{ slipway_values.n }}x{{ slipway_values.s }}"', "3x7"),
        ('"{{ slipway_values.s }}"', "7"),
        ('"{{ slipway_values.none }}-"', "-"),
        ('"{{ slipway_values.map }}"', {"items": 1, "k": "v"}),
        ("\"{{ slipway_values.map['items'] }}\"", 1),
        ('"{{ slipway_values.map.k }}"', "v"),
    ],
)
def test_types_are_kept(text: str, expected: Any) -> None:
    found = values(f"""
slipway_values: {{n: 3, s: "7", none: null, map: {{items: 1, k: v}}}}
slipway_addons: {{a: {{objects: [], values: {{x: {text}}}}}}}
""")
    assert found["x"] == expected
    assert type(found["x"]) is type(expected)


def test_shared_values_are_evaluated_in_the_order_of_their_references() -> None:
    assert values("""
slipway_values:
  c: "{{ slipway_values.b }}!"
  b: "{{ slipway_values.deep.a }}{{ slipway_values.list[0] }}"
  deep: {a: "{{ base }}"}
  list: ["{{ slipway_values.deep.a | upper }}"]
  key: deep
  all: "{{ slipway_values[slipway_values.key] }}"
base: x
slipway_addons: {a: {objects: [], values: {c: "{{ slipway_values.c }}", all: "{{ slipway_values.all }}"}}}
""") == {"c": "xX!", "all": {"a": "x"}}


def test_references_through_other_variables_count() -> None:
    manifest, findings = run("""
slipway_values: {domain: example.com, url: "{{ portal }}"}
portal: "https://{{ slipway_values.domain }}"
slipway_addons: {a: {objects: [], values: {u: "{{ slipway_values.url }}"}}}
""")
    assert manifest is not None
    assert manifest.addons["a"].values == {"u": "https://example.com"}
    assert findings == []


@pytest.mark.parametrize(
    ("leaf", "message", "advice"),
    [
        ("{{ slipway_values.domian }}", "slipway_values.domian is undefined", "slipway_values.domain"),
        ("{{ slipway_values.deep.x }}", "slipway_values.deep.x is undefined", ""),
        ("{{ domian }}", "'domian' is undefined", ""),
        ("{{ nested }}", "'deeper', which the variable 'nested' uses, is undefined", ""),
        ("{{ plain.kee }}", "plain.kee is undefined", "plain.key"),
        ("{{ slipway_nodes.wokers }}", "slipway_nodes.wokers is undefined", "slipway_nodes.workers"),
        ("{{ [missing_one] }}", "'missing_one' is undefined", ""),
    ],
)
def test_what_is_undefined_is_named_where_it_is_written(leaf: str, message: str, advice: str) -> None:
    manifest, findings = run(
        f"""
slipway_values: {{domain: example.com, deep: {{a: 1}}}}
nested: "{{{{ deeper }}}}"
plain: {{key: 1}}
slipway_addons:
  a:
    objects: []
    values:
      x: "{leaf}"
""",
        nodes=lambda: {"workers": 3},
    )
    assert manifest is None
    (finding,) = errors_of(findings)
    assert (finding.code, finding.message) == ("SLW-1301", message)
    assert advice in finding.advice
    assert (finding.position.source, finding.position.line) == ("addons.yml", 9)


def test_a_default_is_no_error() -> None:
    assert values("""
slipway_values: {a: "{{ nope | default('d') }}"}
slipway_addons: {a: {objects: [], values: {x: "{{ slipway_values.missing | default(slipway_values.a) }}"}}}
""") == {"x": "d"}


def test_what_depends_on_a_failed_value_has_no_finding_of_its_own() -> None:
    _manifest, findings = run("""
slipway_values: {a: "{{ nope }}", b: "{{ slipway_values.a }}", all: "{{ slipway_values | length }}"}
via: "{{ slipway_values.b }}"
slipway_addons: {a: {objects: [], values: {x: "{{ slipway_values.b }}", y: "{{ via }}"}}}
""")
    assert codes(findings) == ["SLW-1301"]


def test_circles_show_their_path_once() -> None:
    _manifest, findings = run("""
slipway_values:
  a: "{{ slipway_values.b }}"
  b: "x-{{ via }}"
  c: {d: "{{ slipway_values.c.d }}-1"}
  e: {f: "{{ slipway_values.e }}"}
via: "{{ slipway_values.a }}"
slipway_addons: {x: {objects: [], values: {v: "{{ slipway_values.a }}"}}}
""")
    found = errors_of(findings)
    assert [f.code for f in found] == ["SLW-1302"] * 3
    assert "slipway_values.a -> slipway_values.b -> slipway_values.a" in found[0].message
    assert found[1].message == "refers to itself"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{ 1 + }}", "SLW-1305"),
        ("{{ 1 / 0 }}", "SLW-1304"),
        ("{{ 'x' | nofilter }}", "SLW-1304"),
        ("{{ slipway_values.items }}", "SLW-1306"),
        ("{% if %}", "SLW-1305"),
    ],
)
def test_broken_templates(text: str, code: str) -> None:
    _manifest, findings = run(f"""
slipway_values: {{z: 1}}
slipway_addons: {{a: {{objects: [], values: {{x: "{text}"}}}}}}
""")
    assert codes(findings) == [code]


def test_every_failing_leaf_has_one_finding() -> None:
    leaves = ", ".join(f'k{n}: "{{{{ missing_{n} }}}}"' for n in range(20))
    _manifest, findings = run(f"slipway_addons: {{a: {{objects: [], values: {{{leaves}}}}}}}")
    assert codes(findings) == ["SLW-1301"] * 20


def test_nodes_are_only_read_when_an_expression_wants_them() -> None:
    calls = []

    def nodes() -> dict[str, int]:
        calls.append(1)
        return {"workers": 2}

    manifest, _findings = run("slipway_addons: {a: {objects: []}}", nodes=nodes)
    assert manifest is not None
    assert not manifest.uses_nodes
    assert calls == []
    manifest, _findings = run(
        """
count: "{{ slipway_nodes.workers }}"
slipway_addons: {a: {objects: [], values: {n: "{{ [3, count] | min }}", m: "{{ slipway_nodes.workers }}"}}}
""",
        nodes=nodes,
    )
    assert manifest is not None
    assert manifest.uses_nodes
    assert manifest.addons["a"].values == {"n": 2, "m": 2}
    assert calls == [1]


def test_hints_do_not_stop_anything() -> None:
    manifest, findings = run("""
slipway_values: {used: a, unused: b, list: [1, 2], deep: {used: 1, unused: 2}}
slipway_addons:
  a: {objects: [], values: {x: "{{ slipway_values.used }}", y: "{{ slipway_values.deep.used }}", c: fast-ssd}}
  b: {objects: [], values: {c: fast-ssd, d: {c: fast-ssd}, e: [fast-ssd], f: v1.20.0, g: ClusterIP}}
  c: {objects: [], values: {f: v1.20.0, g: ClusterIP, h: {f: v1.20.0, g: ClusterIP, i: [v1.20.0, ClusterIP]}}}
""")
    assert manifest is not None
    assert [f.path for f in hints_of(findings) if f.code == "SLW-1901"] == [
        ("slipway_values", "unused"),
        ("slipway_values", "list"),
        ("slipway_values", "deep", "unused"),
    ]
    (literal,) = [f for f in manifest.hints if f.code == "SLW-1902"]
    assert "'fast-ssd' stands in 4 places" in literal.message
