# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Shape: keys, types, names, in the manifest and in catalog entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import codes, errors_of, run


@pytest.mark.parametrize(
    ("addon", "code", "path", "advice"),
    [
        ("replcas: 3", "SLW-1001", "a.replcas", "'replicas'"),
        ("domain: x", "SLW-1001", "a.domain", "below 'values'"),
        ("wait: {timeuot: 3}", "SLW-1001", "a.wait.timeuot", "'timeout'"),
        ("timeout: '10'", "SLW-1002", "a.timeout", "without quotes"),
        ("timeout: soon", "SLW-1002", "a.timeout", ""),
        ("timeout: -1", "SLW-1003", "a.timeout", ""),
        ("timeout: 1.5", "SLW-1002", "a.timeout", ""),
        ("replicas: -1", "SLW-1003", "a.replicas", ""),
        ("enabled: 'no'", "SLW-1002", "a.enabled", ""),
        ("protected: 'true'", "SLW-1002", "a.protected", "without quotes"),
        ("version: 6.10", "SLW-1002", "a.version", "in quotes"),
        ("values: [1]", "SLW-1002", "a.values", ""),
        ("values: text", "SLW-1002", "a.values", ""),
        ("requires: tls-issuer", "SLW-1002", "a.requires", "[tls-issuer]"),
        ("requires: [3]", "SLW-1002", "a.requires[0]", "in quotes"),
        ("drift: overwrit", "SLW-1003", "a.drift", "'overwrite'"),
        ("crds: always", "SLW-1003", "a.crds", ""),
        ("wait: {conditions: [{kind: X}]}", "SLW-1012", "a.wait.conditions[0]", ""),
        (
            "wait: {conditions: [{kind: X, type: Ready, status: true}]}",
            "SLW-1002",
            "a.wait.conditions[0].status",
            "quotes",
        ),
        ("namespace: Team_A", "SLW-1007", "a.namespace", "'team-a'"),
        ("namespace: ''", "SLW-1003", "a.namespace", ""),
        (f"release: {'r' * 54}", "SLW-1007", "a.release", ""),
        ("integrations: {metrics: 1}", "SLW-1002", "a.integrations.metrics", ""),
        (r"values: {'grafana\.ini': {a: 1}}", "SLW-1010", r"a.values['grafana\\.ini']", "'grafana.ini'"),
    ],
)
def test_one_wrong_key_is_one_finding_at_its_place(addon: str, code: str, path: str, advice: str) -> None:
    _manifest, findings = run(
        f"""
slipway_addons:
  a:
    use: base
    {addon}
""",
        catalogs=(CATALOG,),
    )
    found = [f for f in errors_of(findings) if f.code != "SLW-1110"]
    assert [f.code for f in found] == [code], [str(f) for f in found]
    assert str(found[0].as_dict()["path"]) == f"slipway_addons.{path}"
    assert found[0].position.line == 5
    assert advice in found[0].advice


CATALOG = str(Path(__file__).parent / "catalog")


@pytest.mark.parametrize("objects", ["[1]", "[{kind: X}]", "{}", "[[]]"])
def test_objects_must_be_objects(objects: str) -> None:
    _manifest, findings = run(f"slipway_addons: {{a: {{objects: {objects}}}}}")
    assert set(codes(findings)) <= {"SLW-1002", "SLW-1012"}
    assert findings


@pytest.mark.parametrize("name", ["Cert", "a_b", "-a", "a-", "a.b", "ä", "a" * 54, "'1 2'", "''"])
def test_names_of_addons(name: str) -> None:
    _manifest, findings = run(f"slipway_addons: {{{name}: {{objects: []}}}}")
    assert "SLW-1007" in codes(findings)
    assert set(codes(findings)) == {"SLW-1007"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("slipway_name: Prod", "SLW-1007"),
        (f"slipway_name: {'p' * 41}", "SLW-1007"),
        ("slipway_name: 3", "SLW-1002"),
        ("other: x", "SLW-1008"),
        ("slipway_name:", "SLW-1008"),
        ("slipway_name: '{{ nope }}'", "SLW-1301"),
    ],
)
def test_the_name_of_the_cluster(name: str, code: str) -> None:
    _manifest, findings = run("", name=name)
    assert codes(findings) == [code]


def test_null_takes_a_key_away() -> None:
    manifest, findings = run("""
slipway_addons: {a: {objects: [], namespace: x, timeout: 3, wait: {timeout: 5}}}
slipway_addons__b: {a: {namespace: null, wait: {timeout: null}}}
""")
    assert manifest is not None, findings
    assert (manifest.addons["a"].namespace, manifest.addons["a"].wait.timeout) == ("a", 3)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("chart: {repo: x, name: y, version: 1.0}", "SLW-1002", "1:27"),
        ("chart: {repo: x, name: y, version: 1.0.0}\nprovdes: [x]", "SLW-1001", "2:1"),
        ("chart: {repo: x\nname: y", "SLW-1108", "2:"),
        ("- a", "SLW-1002", "1:1"),
        ("objects: []\nenabled: false", "SLW-1001", "2:1"),
        ("objects: []\nuse: x", "SLW-1001", "2:1"),
        ("objects: []\nadopt: true", "SLW-1001", "2:1"),
        ("objects: []\nreplicas: 3", "SLW-1002", "2:1"),
        ("objects: []\nintegrations: {metrics: true}", "SLW-1002", "2:16"),
        ("objects: []\nobjects: []", "SLW-1003", "2:1"),
        ("objects: []\nname: other", "SLW-1007", "2:1"),
        ("objects: []\nvalues: {x: .nan}", "SLW-1005", "2:10"),
        ("a: &a [*a]", "SLW-1108", ""),
        ("objects: !!python/object:os.system x", "SLW-1108", "1:10"),
        ("\0", "SLW-1108", ""),
    ],
)
def test_a_broken_catalog_file_has_findings_with_positions(text: str, code: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "entry.yml").write_text(text, encoding="utf-8")
    _manifest, findings = run("", catalogs=(str(tmp_path),))
    assert code in codes(findings), [str(f) for f in findings]
    assert any(
        f.code == code and f"{f.position}".startswith(f"{tmp_path}/entry.yml") and place in f"{f.position}"
        for f in findings
    ), [str(f) for f in findings]


def test_catalog_folders(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    for folder in ("one", "two"):
        (tmp_path / folder / "same.yml").write_text("objects: []\n", encoding="utf-8")
    (tmp_path / "one" / "bytes.yml").write_bytes(b"\xff\xfe\x00")
    _manifest, findings = run("", catalogs=(str(tmp_path / "one"), str(tmp_path / "two"), str(tmp_path / "none")))
    assert sorted(codes(findings)) == ["SLW-1108", "SLW-1108", "SLW-1109"]
