# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The way of AWX: ansible-runner, an inventory script, extra variables in a file, nobody at a terminal.

Still there is one: ansible-runner gives each job a pseudo-terminal.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
# What a terminal would obey: anything but line ends (a pseudo-terminal makes CR LF of them).
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x9b]")
PROGRESS = re.compile(r"^ +\d+\.\d s  portal +(started|waiting|ready)\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    rc: int
    status: str
    out: str
    artifacts: dict[str, Any]


@pytest.fixture
def job(scenario: Path, lab: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """One job: a private data folder as AWX makes it, started by ansible-runner, its artifacts read back."""
    for name in list(os.environ):
        if name.startswith(("ANSIBLE_", "MOLECULE_", "KUBE")):
            monkeypatch.delenv(name)

    def start(playbook: str = "install", **extra: Any) -> Job:
        folder = tmp_path / f"job-{len(list(tmp_path.iterdir()))}"
        variables = yaml.safe_load((scenario / "inventory/group_vars/all/addons.yml").read_text(encoding="utf-8"))
        variables |= {
            "slipway_kubeconfig": lab["kubeconfig"],
            "slipway_helm": lab["bin"]["helm4"],
            "slipway_namespace": "runner-records",
            "slipway_cache_dir": str(folder / "cache"),
            "slipway_files_dir": str(ROOT / "molecule" / "inventory"),
        }
        _write(folder / "inventory" / "hosts", _script(variables), executable=True)
        _write(folder / "env" / "extravars", json.dumps(extra))
        _write(folder / "project" / "site.yml", f"- import_playbook: slipway.cluster.{playbook}\n")
        _write(folder / "env" / "settings", json.dumps({"job_timeout": 60, "suppress_ansible_output": True}))
        collections = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections")}
        done = ansible_runner.run(
            private_data_dir=str(folder),
            playbook="site.yml",
            envvars={**collections, "TERM": "xterm", "ANSIBLE_NOCOLOR": "1"},
            quiet=True,
        )
        stats = [e for e in done.events if e["event"] == "playbook_on_stats"]
        artifacts = stats[-1]["event_data"].get("artifact_data", {}) if stats else {}
        with done.stdout as file:
            return Job(done.rc, done.status, file.read(), artifacts)

    return start


def _write(path: Path, text: str, *, executable: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755 if executable else 0o644)


def _script(variables: dict[str, Any]) -> str:
    hosts = {"localhost": {"ansible_connection": "local"}}
    inventory = {"all": {"hosts": ["localhost"], "vars": variables}, "_meta": {"hostvars": hosts}}
    return f"#!/bin/sh\ncat <<'JSON'\n{json.dumps(inventory)}\nJSON\n"


def changed(host: str) -> dict[str, Any]:
    return {"slipway_addons__survey": json.dumps({"portal": {"values": {"host": host}}})}


def test_a_job_prints_plain_lines_and_leaves_its_result(job: Callable[..., Job]) -> None:
    done = job(**changed("portal.job.example.com"))
    assert (done.rc, done.status) == (0, "successful"), done.out
    text = done.out.replace("\r\n", "\n")
    assert [line for line in text.splitlines() if CONTROL.search(line)] == []
    assert [m.group(1) for m in PROGRESS.finditer(done.out.replace("\r\n", "\n"))][:1] == ["started"]
    assert re.search(r"^ +\d+\.\d s  portal +ready", done.out, re.MULTILINE)
    assert done.out.count("PLAN runner") == 1
    assert "hook of portal, host portal.job.example.com" in done.out
    assert done.artifacts["slipway_result"] == "changes"
    plan = done.artifacts["slipway_plan"]
    assert [a["name"] for a in plan["addons"] if a["action"] == "upgrade"] == ["portal"]
    assert plan["results"]["portal"]["outcome"] == "done"


def test_exit_status_is_as_asked_for(job: Callable[..., Job], kubectl: Callable[..., Any]) -> None:
    for kind in ("plan", "install"):
        done = job(kind, slipway_fail_on="changes,drift", **changed("portal.second.example.com"))
        assert (done.rc, done.status) == (2, "failed")
        assert "SLW-4901" in done.out
        assert done.artifacts["slipway_result"] == "changes"
    # the change was made all the same: it is the last task that fails
    assert (
        kubectl("get", "ingress", "portal", "-n", "runner-portal")["spec"]["rules"][0]["host"]
        == "portal.second.example.com"
    )

    same = job(slipway_fail_on=["changes", "drift"], **changed("portal.second.example.com"))
    assert (same.rc, same.artifacts["slipway_result"]) == (0, "unchanged")

    kubectl("patch", "configmap", "settings", "-n", "runner-portal", "--type=merge", "-p", '{"data":{"colour":"red"}}')
    drifted = job("plan", slipway_fail_on="drift", **changed("portal.second.example.com"))
    assert (drifted.rc, drifted.artifacts["slipway_result"]) == (2, "drift")
    assert "data.colour green -> red  by kubectl-patch" in drifted.out
    told = job("plan", slipway_fail_on="changes", **changed("portal.second.example.com"))
    assert (told.rc, told.artifacts["slipway_result"]) == (0, "drift")


def test_findings_name_the_script_and_the_key_path(job: Callable[..., Job]) -> None:
    done = job("plan", slipway_addons__survey=json.dumps({"portal": {"replcas": 2}}))
    assert done.rc == 2
    assert "SLW-1001" in done.out
    assert "slipway_addons.portal.replcas" in done.out
    assert "extra variables" in done.out
    assert "Traceback" not in done.out
    assert done.artifacts.get("slipway_result") == "error"
