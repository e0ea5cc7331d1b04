# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The catalog that ships with the collection.

Started as a script, as ``make generate`` does, it writes its table into docs/catalog.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.catalog import Entry, load
from ansible_collections.slipway.cluster.plugins.module_utils.addons.definition import SOURCES
from ansible_collections.slipway.cluster.plugins.module_utils.addons.draft import drafts
from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Finding
from ansible_collections.slipway.cluster.plugins.module_utils.addons.node import Node, merge, plain
from ansible_collections.slipway.cluster.plugins.module_utils.addons.output import unseen
from ansible_collections.slipway.cluster.plugins.module_utils.addons.outputs import Outputs
from ansible_collections.slipway.cluster.plugins.module_utils.addons.relations import relate
from ansible_collections.slipway.cluster.plugins.module_utils.addons.smoke.resolve import smoke_checks

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "roles" / "addons" / "files" / "catalog"
PAGE = ROOT / "docs" / "catalog.md"
BLOCK = re.compile(r"(<!-- entries: [^\n]*-->\n).*?(<!-- end of entries -->)", re.DOTALL)
ENTRIES, FINDINGS = load([str(FOLDER)])
PROMISED = {"cert-manager", "headlamp", "kube-prometheus-stack", "local-path-provisioner", "loki", "metrics-server"}
SEMVER = re.compile(r"v?\d+\.\d+\.\d+")


def table() -> str:
    """The entries as a Markdown table."""
    lines = ["", "| entry | version | provides | requires | what it is |", "|---|---|---|---|---|"]
    for name, entry in sorted(ENTRIES.items()):
        provides, requires = (", ".join(f"`{t}`" for t in entry.texts(key)) for key in ("provides", "requires"))
        home = f"[{name}]({_text(entry, 'home')})"
        lines.append(
            f"| {home} | {_text(entry, 'chart', 'version')} | {provides} | {requires} | {_text(entry, 'description')} |"
        )
    return "\n".join([*lines, "", ""])


def _written() -> str:
    return BLOCK.sub(lambda m: m.group(1) + table() + m.group(2), PAGE.read_text(encoding="utf-8"))


def _text(entry: Entry, *path: str) -> str:
    found = entry.node.at(path)
    return str(found.value) if found is not None else ""


def test_catalog_has_no_findings() -> None:
    assert not FINDINGS
    assert set(ENTRIES) >= PROMISED


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_entry_is_complete(name: str) -> None:
    entry = ENTRIES[name]
    assert len([key for key in SOURCES if key in entry.node.map()]) == 1
    assert _text(entry, "description").endswith(".")
    assert urlsplit(_text(entry, "home")).scheme == "https"
    assert _text(entry, "namespace")
    if "chart" in entry.node.map():
        assert urlsplit(_text(entry, "chart", "repo")).scheme in ("https", "oci")
        assert _text(entry, "chart", "name")
        assert SEMVER.fullmatch(_text(entry, "chart", "version")), "a released version, exactly"


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_no_digest_is_typed_by_hand(name: str) -> None:
    """Typed by hand they are at best out of date."""
    assert "sha256" not in (FOLDER / f"{name}.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_integrations_and_requirements_name_capabilities_of_the_catalog(name: str) -> None:
    offered = {capability for entry in ENTRIES.values() for capability in entry.texts("provides")}
    entry = ENTRIES[name]
    integrations = entry.node.at(("integrations",))
    wanted = {*entry.texts("requires"), *entry.texts("after"), *(integrations.map() if integrations else ())}
    assert wanted <= offered
    assert not wanted & set(entry.texts("provides"))


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_replicas_name_a_value_that_is_no_map(name: str) -> None:
    entry = ENTRIES[name]
    path = _text(entry, "replicas")
    if path:
        values = entry.node.at(("values",)) or Node({})
        found = values.at(tuple(path.split(".")))
        assert found is None or not isinstance(found.value, dict)


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_images_are_pinned(name: str) -> None:
    for image in ENTRIES[name].texts("images"):
        assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+(/[a-z0-9._-]+)+:v?\d[\w.-]*", image)


def test_entries_whose_replicas_hold_data_say_so() -> None:
    """And have a number of replicas that can become smaller."""
    unsafe = {name for name in ENTRIES if _text(ENTRIES[name], "scale_down") == "unsafe"}
    assert unsafe == {"loki"}
    assert all(_text(ENTRIES[name], "replicas") for name in unsafe)


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_smoke_checks_are_complete(name: str) -> None:
    """Each is of a capability that the entry provides, and says what it expects."""
    written = ENTRIES[name].node.at(("smoke",))
    found, _dropped, _findings = drafts(Node({name: Node({})}), ENTRIES)
    findings: list[Finding] = []
    checks = smoke_checks(found[name], findings)
    assert not findings
    assert {check.capability for check in checks} == set(written.map() if written else ())


def test_all_entries_together_have_an_order() -> None:
    """Every entry in one manifest: nothing is missing, nothing is provided twice, no circle."""
    found, _dropped, findings = drafts(Node({name: Node({}) for name in ENTRIES}), ENTRIES)
    relations, more = relate(found, ENTRIES, (), frozenset())
    assert not [*findings, *more]
    assert "kube-prometheus-stack" in relations.depends["cert-manager"]
    assert "local-path-provisioner" in relations.depends["kube-prometheus-stack"]
    assert relations.depends["alloy"] == ("kube-prometheus-stack", "loki")
    assert "loki" not in relations.depends["kube-prometheus-stack"], "Loki waits for the ServiceMonitor's CRD"
    assert "metallb" in relations.depends["traefik"]


def test_outputs_are_defined_and_listed() -> None:
    found, _dropped, _findings = drafts(Node({name: Node({}) for name in ENTRIES}), ENTRIES)
    assert not Outputs(found, (), (), unseen).findings
    listed = set(
        re.findall(r"^\| `([a-z-]+)`: `([a-z_]+)` \|", (PAGE.parent / "outputs.md").read_text("utf-8"), re.MULTILINE)
    )
    outputs = {name: entry.node.at(("outputs",)) for name, entry in ENTRIES.items()}
    assert listed == {(name, output) for name, node in outputs.items() if node for output in node.map()}


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_integrations_do_not_contradict_each_other(name: str) -> None:
    """Laid over the entry's values in any order, they give the same."""
    entry = ENTRIES[name]
    integrations = entry.node.at(("integrations",))
    overlays = [child.at(("values",)) or Node({}) for child in (integrations.map() if integrations else {}).values()]
    values = entry.node.at(("values",)) or Node({})
    one, other = values, values
    for overlay in overlays:
        one = merge(one, overlay)
    for overlay in reversed(overlays):
        other = merge(other, overlay)
    assert plain(one) == plain(other)


def test_page_lists_the_entries_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == _written(), "run: make generate"


def test_page_explains_every_capability() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for entry in ENTRIES.values():
        for capability in entry.texts("provides"):
            assert f"`{capability}`" in text.split("## Capabilities", 1)[1]


if __name__ == "__main__":
    PAGE.write_text(_written(), encoding="utf-8")
