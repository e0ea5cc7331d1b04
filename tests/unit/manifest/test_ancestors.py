# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Defects of the tools that went before, measured in their repositories: each must be found here."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.placeholders import placeholder

from .support import codes, errors_of, hints_of, run


def test_a_storage_class_that_one_side_renamed() -> None:
    """The role made 'taco-storage', seven places of the manifest still said 'rbd': a convention, not a reference."""
    uses = "\n".join(
        f"  app-{n}: {{objects: [], requires: [storage-rbd], values: {{storageClass: rbd-default}}}}" for n in range(7)
    )
    _manifest, findings = run(f"""
slipway_addons:
  rook: {{objects: [], provides: [storage-taco]}}
{uses}
""")
    assert codes(findings) == ["SLW-1203"] * 7
    assert all("'storage-taco'" in f.advice or "slipway_capabilities" in f.advice for f in errors_of(findings))
    assert [f.code for f in hints_of(findings)] == ["SLW-1902"]


@pytest.mark.parametrize("text", ["/--\n", "\t# FIXME\nslipway_addons: {}\n", "a: {\n"])
def test_manifests_that_do_not_load(text: str, tmp_path: Path) -> None:
    """Two of four sample manifests did not load: a typo on line 1, a tab before a comment."""
    (tmp_path / "entry.yml").write_text(text, encoding="utf-8")
    _manifest, findings = run("", catalogs=(str(tmp_path),))
    assert set(codes(findings)) <= {"SLW-1108", "SLW-1002"}
    assert findings
    assert all(f.position.line for f in findings)


@pytest.mark.parametrize(
    "word",
    [
        "CHANGEME",
        "CHNAGEME",
        "changeme",
        "http://CHANGEME/x",
        "TACOFIXME",
        "FixItByWF",
        "TO_BE_FIXED",
        "TODO",
        "FIXME",
        "CHANGE_ME",
        "change-me",
        "<your-domain>",
        "https://<host>/path",
        "XXX",
        "xxx",
        "https://keycloak.xxx/auth",
        "TODO: ask the network team",
        "CHANGEME123-CHANGEME",
        "CHANGME",
        "CHANGEMEE",
        "CHAMGEME",
        "PLACEHOLDER",
        "TBD",
        "my-CHANGEME-bucket",
        "db.TODO.example.com",
        "line one\npassword: CHANGEME\n",
    ],
)
def test_placeholders_that_passed_the_old_check(word: str) -> None:
    assert placeholder(word)


@pytest.mark.parametrize(
    "text",
    [
        "ANGE",
        "TOD",
        "TODOs app",
        "the TODO application keeps lists",
        "mastodon",
        "todo",
        "change",
        "changes",
        "charge",
        "exchange-me-not",
        "a placeholder for the name",
        "<b>bold</b>",
        "(?P<name>.*)",
        "user <user@example.com>",
        "if a < b and c > d",
        "exxxtra",
        "foxxx",
        "apps.example.com",
        "",
        " ",
        "-",
        "<source>\n  @type tail\n</source>",
        "fixture",
        "fix me",
        "method",
        "# TODO: tune\nkey: value\n",
        "prefix-me",
        "{{ $labels.x }}",
        "a -> b",
    ],
)
def test_text_that_is_no_placeholder(text: str) -> None:
    assert placeholder(text) == ""


def test_a_placeholder_is_reported_once_where_it_is_written() -> None:
    """15 misspelt placeholders stood in the site files, each used in many charts."""
    _manifest, findings = run("""
slipway_values: {issuer: "http://CHANGEME/x", db: {password: CHNAGEME}}
other: FixItByWF
slipway_addons:
  a: {objects: [], values: {u: "{{ slipway_values.issuer }}", o: "{{ other }}", p: [ok, TO_BE_FIXED]}}
  b: {objects: [], values: {u: "{{ slipway_values.issuer }}/y", d: "{{ slipway_values.db }}"}}
""")
    assert [(f.code, f.as_dict()["path"]) for f in errors_of(findings)] == [
        ("SLW-1303", "slipway_values.issuer"),
        ("SLW-1303", "slipway_values.db.password"),
        ("SLW-1303", "slipway_addons.a.values.o"),
        ("SLW-1303", "slipway_addons.a.values.p[1]"),
    ]


def test_nested_and_self_referential_shared_values() -> None:
    """``x: $(y)-1`` stayed as it was; a reference to itself ran for ever."""
    manifest, _findings = run("""
slipway_values: {y: a, x: "{{ slipway_values.y }}-1"}
slipway_addons: {a: {objects: [], values: {x: "{{ slipway_values.x }}"}}}
""")
    assert manifest is not None
    assert manifest.addons["a"].values == {"x": "a-1"}
    _manifest, findings = run('slipway_values: {x: "{{ slipway_values.x }}-1"}')
    assert codes(findings) == ["SLW-1302"]


def test_an_undefined_value_shows_no_other_value() -> None:
    """The old renderer printed the whole dictionary, secrets included."""
    _manifest, findings = run("""
slipway_values: {password: super-secret-1, clusterName: c1}
slipway_addons: {a: {objects: [], values: {x: "{{ slipway_values.clusterNmae }}"}}}
""")
    assert codes(findings) == ["SLW-1301"]
    assert "super-secret-1" not in "".join(map(str, findings))


def test_an_escaped_dot_in_a_key() -> None:
    """``grafana\\.ini`` became the key ``grafana\\``; the OIDC block was silently lost on both sites."""
    _manifest, findings = run(r"""
slipway_addons: {a: {objects: [], values: {'grafana\.ini': {auth: {enabled: true}}, "ok.ini": 1}}}
""")
    assert codes(findings) == ["SLW-1010"]


@pytest.mark.parametrize("order", ["[a, b", '\'["b" "c"]\'', "b, c", "{b: c}"])
def test_order_lists_that_are_no_lists(order: str) -> None:
    """2 of 47 hand-written order lists in the workflows were no JSON."""
    text = f"slipway_addons: {{a: {{objects: [], after: {order}}}, b: {{objects: []}}, c: {{objects: []}}}}"
    if order == "[a, b":
        text = "slipway_addons: '{a: {objects: [], after: [a, b}}'"
    _manifest, findings = run(text)
    assert set(codes(findings)) <= {"SLW-1002", "SLW-1004"}
    assert findings


def test_one_value_with_two_meanings_in_two_files() -> None:
    """``keycloakIssuerUri`` had two values inside one site; layers make the later one hold, and say from where."""
    manifest, _findings = run(
        "slipway_values: {issuer: https://one.example.com}\n"
        'slipway_addons: {a: {objects: [], values: {i: "{{ slipway_values.issuer }}"}}}',
        "slipway_values__site: {issuer: https://two.example.com}",
    )
    assert manifest is not None
    assert manifest.addons["a"].values == {"i": "https://two.example.com"}


def test_monitoring_off_takes_its_integrations_off(catalog: str) -> None:
    """Ingress and cert-manager failed when Prometheus was off: integration was set by hand."""
    on, _findings = run(
        "slipway_addons: {cert-manager: {}, kube-prometheus-stack: {}, local-path: {}}", catalogs=(catalog,)
    )
    off, _findings = run(
        "slipway_addons: {cert-manager: {}, kube-prometheus-stack: {enabled: false}, local-path: {}}",
        catalogs=(catalog,),
    )
    assert on is not None
    assert off is not None
    assert on.addons["cert-manager"].values == {"prometheus": {"enabled": True}}
    assert off.addons["cert-manager"].values == {}


def test_names_that_begin_alike_are_different_addons() -> None:
    """Prefix 'lma' also removed 'lma2-…'."""
    manifest, _findings = run(
        "slipway_addons: {lma: {objects: []}, lma2: {objects: [], after: [lma]}, lma-x: {objects: []}}"
    )
    assert manifest is not None
    assert manifest.addons["lma2"].depends == ("lma",)
    assert manifest.addons["lma-x"].depends == ()


def test_charts_that_nobody_installs() -> None:
    """Charts that stood in no group were silently never installed: here, all are, or are named as switched off."""
    manifest, _findings = run("slipway_addons: {watcher: {objects: []}, etcd: {objects: [], enabled: false}}")
    assert manifest is not None
    assert (list(manifest.addons), manifest.dropped) == (["watcher"], ("etcd",))


def test_the_same_literal_in_fifty_places() -> None:
    """The literal 'password' stood in 50 places over 9 charts."""
    addons = "\n".join(f"  c{n}: {{objects: [], values: {{a: password, b: {{c: password}}}}}}" for n in range(9))
    manifest, _findings = run(f"slipway_addons:\n{addons}")
    assert manifest is not None
    (hint,) = manifest.hints
    assert hint.code == "SLW-1902"
    assert "18 places" in hint.message
