# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The parts of the lab that need no running one: processes, packages, rules, names."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lab import packages, paths, ports, procs
from lab.audit import policy
from lab.errors import LabError
from lab.fault_rules import Board, Rule

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_process_lives_dies_and_a_zombie_is_dead(tmp_path: Path) -> None:
    process = procs.spawn("sleeper", SLEEP, tmp_path / "log", tmp_path, {})
    assert process.alive()
    procs.stop([process])
    # Nobody has waited for the child: it is a zombie now.
    assert Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    assert not process.alive()


def test_recycled_pid_is_not_killed(tmp_path: Path) -> None:
    process = procs.spawn("sleeper", SLEEP, tmp_path / "log", tmp_path, {})
    procs.stop([replace(process, started=process.started - 1)])
    assert process.alive()
    procs.stop([process])


def test_unwritten_process_is_found_by_its_owner(tmp_path: Path) -> None:
    process = procs.spawn("sleeper", SLEEP, tmp_path / "log", tmp_path, {})
    assert [found.pid for found in procs.owned(tmp_path)] == [process.pid]
    assert procs.owned(tmp_path / "other") == []
    procs.stop([process])
    assert procs.owned(tmp_path) == []


def test_chosen_ports_differ_and_avoid_taken_ones() -> None:
    taken = set(range(ports.LOW, ports.HIGH - 1200))
    chosen = ports.choose(("a", "b", "c"), taken)
    assert len(set(chosen.values())) == 3
    assert not taken & set(chosen.values())


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 32, ".hidden"])
def test_lab_name_cannot_leave_its_folder(name: str) -> None:
    with pytest.raises(LabError, match="no lab name"):
        paths.lab_dir(name)


def test_folders_are_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_LAB_STATE", str(tmp_path / "base"))
    with paths.locked(paths.lab_dir("one")):
        modes = [folder.stat().st_mode & 0o777 for folder in (tmp_path / "base", tmp_path / "base" / "one")]
    assert modes == [0o700, 0o700]


def test_state_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_LAB_STATE", str(tmp_path))
    (tmp_path / "trap").symlink_to(tmp_path)
    with pytest.raises(LabError, match="not a folder of this user"), paths.locked(tmp_path / "trap"):
        pass


def test_packages_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    for folder, version in (("web", "1.10.0"), ("web-old", "1.9.0"), ("web-next", "1.10.0-rc.1")):
        chart = tmp_path / "charts" / folder
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "web", "version": version}))
        (chart / "templates" / "a.yaml").write_text("kind: ConfigMap\n")
    first, second = tmp_path / "first", tmp_path / "second"
    for target in (first, second):
        packages.publish(target, tmp_path / "charts")
        time.sleep(0.01)
    assert {p.name: p.read_bytes() for p in first.iterdir()} == {p.name: p.read_bytes() for p in second.iterdir()}
    index = yaml.safe_load((first / "index.yaml").read_text())
    assert [entry["version"] for entry in index["entries"]["web"]] == ["1.10.0", "1.10.0-rc.1", "1.9.0"]
    with tarfile.open(first / "web-1.9.0.tgz") as archive:
        assert archive.getnames() == ["web/Chart.yaml", "web/templates/a.yaml"]


def test_packages_of_removed_charts_go(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "gone-1.0.0.tgz").write_text("")
    packages.publish(tmp_path / "repo", tmp_path / "no-charts")
    assert [path.name for path in (tmp_path / "repo").iterdir()] == ["index.yaml"]


def test_rule_picks_the_nth_matching_call() -> None:
    rule = Rule(method="PATCH|PUT", path="/secrets", nth=2, status=500)
    calls = [
        ("PATCH", "/secrets/a"),
        ("GET", "/secrets/a"),
        ("PATCH", "/pods/a"),
        ("PUT", "/secrets/b"),
        ("PUT", "/secrets/b"),
    ]
    assert [rule.fires(method, path, "") for method, path in calls] == [False, False, False, True, False]


def test_rule_picks_a_share_the_same_way_each_time() -> None:
    fired = [
        [rule.fires("GET", "/", "") for _ in range(1000)] for rule in (Rule(share=0.3, status=500) for _ in range(2))
    ]
    assert fired[0] == fired[1]
    assert 250 < sum(fired[0]) < 350


def test_rule_ends_after_times_and_looks_at_the_client() -> None:
    rule = Rule(user_agent="^helm", times=1, status=429)
    assert [rule.fires("GET", "/", agent) for agent in ("kubectl", "helm/4", "helm/4")] == [False, True, False]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({}, "a rule needs one of"),
        ({"statos": 1}, "unknown: statos"),
        ({"path": "(", "status": 500}, "not a pattern"),
        ({"hold": "during"}, "'before' or 'after'"),
    ],
)
def test_senseless_rule_is_refused(order: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Board().add(order)


def test_audit_policy_catches_writes_of_everybody() -> None:
    rules = policy(bodies=False)["rules"]
    assert isinstance(rules, list)
    assert rules[-1] == {"level": "Metadata"}
    # What is left out is named by read verb, health address, or kind (events; leases of the control plane).
    for rule in rules[:-1]:
        assert set(rule) & {"verbs", "nonResourceURLs", "resources"}
        assert set(rule.get("verbs", ())) <= {"get", "list", "watch"}


def test_command_line_speaks_plainly() -> None:
    command = [sys.executable, "-m", "lab", "up", "--name", "../etc"]
    done = subprocess.run(command, cwd=paths.REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "lab: '../etc' is no lab name: lower-case letters, digits and '-', at most 31 characters\n"
