# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is secret, and that it never shows."""

from __future__ import annotations

import pytest

from .support import run

VAULTED = "slipway_values: {pw: !vault hunter22, plain: text-of-mine}\n"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("{{ slipway_values.pw }}", True),
        ("x-{{ slipway_values.pw }}", True),
        ("{{ slipway_values.plain }}", False),
        ("{{ slipway_values | to_text }}", True),
        ("{{ via }}", True),
        ("{{ far }}", True),
        ("{{ lookup('env', 'X') }}", True),
        ("{{ lookup('community.hashi_vault.vault_read', 'x') }}", True),
        ("{{ lookup('file', 'x') }}", False),
        ("{{ lookup('ansible.builtin.file', 'x') }}", False),
        ("{{ lookup(plain, 'x') }}", True),
        ("{% set l = lookup %}{{ l('file', 'x') }}", True),
        ("{{ slipway_secrets.db }}", True),
        ("{{ vaulted }}", True),
        ("{{ map.open }}", False),
        ("{{ map.closed }}", True),
        ("{{ plain }}", False),
    ],
)
def test_secrecy_follows_references(text: str, secret: bool) -> None:
    manifest, findings = run(
        VAULTED
        + f"""
via: "{{{{ slipway_values.pw }}}}"
far: "{{{{ env }}}}"
env: "{{{{ lookup('pipe', 'x') }}}}"
plain: file
vaulted: !vault hunter33
map: {{open: abcdef, closed: !vault hunter44}}
slipway_secrets: {{db: hunter55}}
slipway_addons: {{a: {{objects: [], values: {{deep: {{x: "{text.replace("| to_text", "| string")}"}}}}}}}}
"""
    )
    assert manifest is not None, [str(f) for f in findings]
    assert manifest.addons["a"].secret_paths == (frozenset({("deep", "x")}) if secret else frozenset())
    assert (str(manifest.addons["a"].values["deep"]["x"]) in manifest.secrets) is secret


def test_a_reference_to_a_map_takes_over_exactly_its_secret_parts() -> None:
    manifest, _findings = run("""
slipway_values: {db: {host: db.example.com, password: !vault hunter22, port: !vault 54321}}
slipway_addons: {a: {objects: [], values: {db: "{{ slipway_values.db }}"}}}
""")
    assert manifest is not None
    assert manifest.addons["a"].secret_paths == {("db", "password"), ("db", "port")}
    assert "db.example.com" not in manifest.secrets
    assert {"hunter22", "54321"} <= set(manifest.secrets)


def test_short_secrets_are_not_masked_everywhere() -> None:
    manifest, _findings = run(
        "slipway_addons: {a: {objects: [], values: {a: !vault abc, b: !vault abcd, c: !vault true}}}"
    )
    assert manifest is not None
    assert "abc" not in manifest.secrets
    assert "abcd" in manifest.secrets


@pytest.mark.parametrize(
    "addon",
    [
        'values: {x: "{{ slipway_values.pw | int + nope }}"}',
        'values: {x: "{{ slipway_values.pw / 2 }}"}',
        "values: {x: \"{{ ('%d' % slipway_values.pw) }}\"}",
        'drift: "{{ slipway_values.pw }}"',
        'timeout: "{{ slipway_values.pw }}"',
        "namespace: \"{{ slipway_values.pw ~ '_X' }}\"",
        "namespace: !vault HUNTER22",
        "release: !vault hunter22_",
        'requires: ["{{ slipway_values.pw }}"]',
        'requires: "{{ slipway_values.pw }}"',
        'use: "{{ slipway_values.pw }}"',
        'version: "{{ slipway_values.pw }}"\n    chart: {repo: x}',
        'kustomize: "{{ slipway_values.pw }}"',
        "values: {x: \"{{ slipway_values.pw ~ '-CHANGEME' }}\"}",
        "values: {x: !vault CHANGEME-hunter22}",
    ],
)
def test_no_finding_shows_a_secret(addon: str) -> None:
    _manifest, findings = run(VAULTED + f"slipway_addons:\n  a:\n    {addon}\n  hunter: {{nope: 1}}\n")
    text = "\n".join(f"{finding} {finding.as_dict()}" for finding in findings)
    assert findings
    assert "hunter22" not in text.lower()
