# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Layers in several files, and in AWX's inventory script; findings say where a value came from in either."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FILES = ("10-base.yml", "20-site.yml", "30-environment.yml")


def test_the_last_layer_wins_key_by_key(kubectl: Callable[..., Any]) -> None:
    settings = kubectl("get", "configmap", "settings", "-n", "layers-settings")
    assert settings["data"] == {"domain": "site.example.com", "colour": "red", "retention": "9d"}
    deployment = kubectl("get", "deployment", "portal", "-n", "layers-portal")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert (labels["tier"], labels["owner"]) == ("site", "base")
    assert (
        kubectl("get", "ingress", "portal", "-n", "layers-portal")["spec"]["rules"][0]["host"]
        == "portal.site.example.com"
    )
    assert kubectl("get", "configmap", "extra", "-n", "layers-settings")
    assert kubectl("get", "configmap", "unwanted", "-n", "layers-settings") is None


def test_extra_variables_are_a_layer_too(playbook: Any) -> None:
    run = playbook("plan", slipway_values__99_survey={"colour": "white"})
    assert run.actions == {"settings": "upgrade"}
    assert "data.colour  red -> white" in run.plan


def test_findings_name_file_line_and_column(playbook: Any, scenario: Path, tmp_path: Path) -> None:
    broken = tmp_path / "inventory"
    shutil.copytree(scenario / "inventory", broken)
    site = broken / "group_vars/all/20-site.yml"
    site.write_text(
        site.read_text(encoding="utf-8")
        .replace("colour: blue", "colour: CHANGEME")
        .replace("{podLabels: {tier: site}}", "{podLabels: [tier]}"),
        encoding="utf-8",
    )
    environment = broken / "group_vars/all/30-environment.yml"
    environment.write_text(environment.read_text(encoding="utf-8").replace("colour: red", "colour:"), encoding="utf-8")
    host = broken / "host_vars/localhost.yml"
    host.write_text(host.read_text(encoding="utf-8").replace("9d", '"{{ nowhere }}"'), encoding="utf-8")
    run = playbook("plan", "-i", str(ROOT / "molecule/inventory"), "-i", str(broken), rc=2)
    lines = [line.strip() for line in run.out.replace("\\n", "\n").splitlines()]

    def finding(code: str) -> str:
        found = [line for line in lines if f": {code} " in line]
        assert found, run.out
        return found[0]

    clash = finding("SLW-1009")
    assert "20-site.yml:10:" in clash
    assert "slipway_addons.portal.values.podLabels" in clash
    assert "10-base.yml:27:" in clash
    undefined = finding("SLW-1301")
    assert "host_vars/localhost.yml:4:" in undefined
    assert "'nowhere'" in undefined


@pytest.fixture
def script(scenario: Path, lab: dict[str, Any], tmp_path: Path) -> Callable[..., Path]:
    """An inventory as AWX makes it: one executable script, all variables in it, no file beside it."""

    def make(**changes: Any) -> Path:
        variables: dict[str, Any] = {}
        for name in FILES:
            variables |= yaml.safe_load((scenario / "inventory/group_vars/all" / name).read_text(encoding="utf-8"))
        variables |= yaml.safe_load((scenario / "inventory/host_vars/localhost.yml").read_text(encoding="utf-8"))
        variables |= {
            "slipway_kubeconfig": lab["kubeconfig"],
            "slipway_helm": lab["bin"]["helm4"],
            "slipway_namespace": "layers-records",
            "slipway_cache_dir": f"{lab['state_dir']}/cache",
            **changes,
        }
        hosts = {"localhost": {"ansible_connection": "local", "remote_tower_enabled": "true", "remote_tower_id": 1}}
        inventory = {"all": {"hosts": ["localhost"], "vars": variables}, "_meta": {"hostvars": hosts}}
        file = tmp_path / "runner" / "inventory" / "hosts"
        file.parent.mkdir(parents=True)
        file.write_text(f"#!/bin/sh\ncat <<'JSON'\n{json.dumps(inventory)}\nJSON\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    return make


def test_a_script_inventory_gives_the_same(playbook: Any, script: Callable[..., Path], tmp_path: Path) -> None:
    """Relative paths start from slipway_files_dir: in AWX, the project's folder."""
    project = tmp_path / "project" / "a" / "b"
    project.mkdir(parents=True)
    (tmp_path / "project" / "lab").symlink_to(ROOT / "lab")
    run = playbook("plan", "-i", str(script(slipway_files_dir=str(project))))
    assert (run.report["result"], run.actions) == ("unchanged", {})
    assert len(run.report["addons"]) == 3


def test_findings_without_a_file_name_source_and_key_path(playbook: Any, script: Callable[..., Path]) -> None:
    values = {"domain": "base.example.com", "colour": "CHANGEME", "retention": "{{ nowhere }}"}
    file = script(
        slipway_values=values, slipway_values__20_site={}, slipway_values__30_environment={}, slipway_values__40_host={}
    )
    run = playbook("plan", "-i", str(file), rc=2, slipway_addons__survey={"portal": {"replcas": 1}})
    lines = [line.strip() for line in run.out.replace("\\n", "\n").splitlines()]
    said = [line for line in lines if "SLW-1" in line and "SLW-1000" not in line]
    assert any(line.startswith("extra variables: SLW-1001 slipway_addons.portal.replcas") for line in said), said
    assert any("SLW-1301 slipway_values.retention" in line for line in said), said
    assert any("SLW-1303 slipway_values.colour" in line for line in said), said
    assert any("SLW-1106 slipway_addons.portal.chart.path" in line for line in said), said
    # every one begins with where the value came from: the script, or the variable that no file holds
    assert all(line.split(": SLW-")[0] for line in said)
    assert not any(line.startswith("SLW-") for line in said), said
