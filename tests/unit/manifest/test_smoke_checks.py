# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Smoke checks as they are written: the entry's under the user's, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.field_path import MISSING, look_up, steps
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Expectation, SmokeCheck
from tests.unit.manifest.support import codes, errors_of, run

ENTRY = """
description: Volumes.
home: https://example.org
objects: []
provides: [volumes, snapshots]
smoke:
  volumes:
    timeout: 30
    ready: [{kind: StorageClass, group: storage.k8s.io, name: fast, exists: true}]
  snapshots:
    objects: [{apiVersion: v1, kind: Pod, metadata: {name: a}}]
"""
WANTED = Expectation("StorageClass", "storage.k8s.io", "fast", exists=True)


def checks(tmp_path: Path, text: str) -> dict[str, SmokeCheck]:
    (tmp_path / "disks.yml").write_text(ENTRY)
    manifest, findings = run(f"slipway_addons: {{disks: {text}}}", catalogs=(str(tmp_path),))
    assert manifest is not None, findings
    return {check.capability: check for check in manifest.addons["disks"].smoke}


def wrong(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "disks.yml").write_text(ENTRY)
    _manifest, findings = run(f"slipway_addons: {{disks: {text}}}", catalogs=(str(tmp_path),))
    assert all(finding.position.line for finding in errors_of(findings))
    return codes(findings)


def test_an_entry_s_checks_are_taken(tmp_path: Path) -> None:
    found = checks(tmp_path, "{}")
    assert found["volumes"] == SmokeCheck("volumes", (), (WANTED,), 30)
    assert found["snapshots"].timeout == 60


def test_the_user_lays_over(tmp_path: Path) -> None:
    found = checks(tmp_path, "{smoke: {volumes: {timeout: 5}, snapshots: {enabled: false}}}")
    assert found == {"volumes": SmokeCheck("volumes", (), (WANTED,), 5)}
    found = checks(tmp_path, "{smoke: {volumes: {ready: [{kind: Node, type: Ready}]}}}")
    assert found["volumes"] == SmokeCheck("volumes", (), (Expectation("Node", type="Ready"),), 30)


def test_a_check_goes_with_its_capability(tmp_path: Path) -> None:
    assert set(checks(tmp_path, "{provides: [volumes]}")) == {"volumes"}
    assert wrong(tmp_path, "{provides: [volumes], smoke: {snapshots: {timeout: 5}}}") == ["SLW-1421"]
    assert wrong(tmp_path, "{smoke: {volume: {timeout: 5}}}") == ["SLW-1421"]


@pytest.mark.parametrize(
    ("check", "code"),
    [
        ("{ready: [], objects: []}", "SLW-1422"),
        ("{ready: [{kind: Pod}]}", "SLW-1422"),
        ("{ready: [{kind: Pod, path: status.phase}]}", "SLW-1422"),
        ("{ready: [{kind: Pod, path: status.phase, equals: a, exists: true}]}", "SLW-1422"),
        ("{ready: [{kind: Pod, equals: a}]}", "SLW-1422"),
        ("{ready: [{kind: Pod, type: Ready, exists: true}]}", "SLW-1422"),
        ("{ready: [{kind: Pod, status: 'True'}]}", "SLW-1422"),
        ("{ready: [{kind: Pod, path: status..phase, exists: true}]}", "SLW-1422"),
        ("{objects: [{apiVersion: v1, kind: Pod}]}", "SLW-1422"),
        ("{objects: [{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}}]}", "SLW-1422"),
        ("{objects: [{kind: Pod, metadata: {name: a}}]}", "SLW-1012"),
        ("{ready: [{name: a, exists: true}]}", "SLW-1012"),
        ("{redy: []}", "SLW-1001"),
        ("{timeout: soon}", "SLW-1002"),
        ("5", "SLW-1002"),
    ],
)
def test_what_cannot_be_tried_is_found(tmp_path: Path, check: str, code: str) -> None:
    assert wrong(tmp_path, f"{{provides: [new], smoke: {{new: {check}}}}}") == [code]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("status.phase", ("status", "phase")),
        ("a[0].b", ("a", 0, "b")),
        ("a[0][1]", ("a", 0, 1)),
        ("metadata.labels['a.b/c']", ("metadata", "labels", "a.b/c")),
        ('metadata.labels["a.b/c"].x', ("metadata", "labels", "a.b/c", "x")),
        ("data[tls.crt]", ("data", "tls.crt")),
        ("spec.ports[http].port", ("spec", "ports", "http", "port")),
        ("metadata.annotations[a.b/c]", ("metadata", "annotations", "a.b/c")),
        *((text, None) for text in ("", ".", "a.", ".a", "a..b", "a[]", "a[0", "a b", "a[0]b", "[0].a", "$.a", "{.a}")),
    ],
)
def test_field_paths(text: str, path: tuple[str | int, ...] | None) -> None:
    assert steps(text) == path


def test_looking_up_fields() -> None:
    body = {"a": [{"b": None}], "text": "word"}
    assert look_up(body, ("a", 0, "b")) is None
    assert look_up({"a": [{"name": "x", "n": 1}, {"type": "y", "n": 2}]}, ("a", "y", "n")) == 2
    for path in (("a", 1), ("a", "b"), ("text", 0), ("x",), ("a", 0, "b", "c")):
        assert look_up(body, path) is MISSING
