# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's stand-in beside real, unmodified Kubespray: v2.31.0, and whatever newer one is installed.

Real Kubespray is looked for where Ansible looks for collections, or in the folder ``$SLIPWAY_KUBESPRAY``; a newer one
in ``$SLIPWAY_KUBESPRAY_NEXT``. It wants an ansible-core of its own and collections that nothing else here needs: the
folder with the programs of such an environment is ``$SLIPWAY_KUBESPRAY_BIN`` (``pip install ansible==11.13.0 netaddr
jmespath cryptography`` makes one).
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from lab.hosts.log import counting
from tests.contract.kubespray.site import STANDIN, Site, site
from tests.contract.support import ROOT

PLACES = (Path.home() / ".ansible" / "collections", Path("/usr/share/ansible/collections"))
HOME = Path("ansible_collections", "kubernetes_sigs", "kubespray")
PLAYBOOKS = ("boilerplate", "facts", "internal_facts", "cluster", "scale", "upgrade_cluster", "remove_node", "reset")
# Other engines are taken away, and other network plugins set up, from there: nothing of it is in a lab.
NOT_SIMULATED = ({"container-engine"}, {"network"})

Outline = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def programs() -> Path:
    named = os.environ.get("SLIPWAY_KUBESPRAY_BIN", "")
    if not named:
        pytest.skip("no environment that Kubespray accepts: $SLIPWAY_KUBESPRAY_BIN is not set")
    return Path(named)


@pytest.fixture(scope="module", params=["v2.31.0", "newest"])
def real(request: pytest.FixtureRequest, programs: Path) -> Path:
    """The collections' folder that holds a real Kubespray."""
    newest = request.param == "newest"
    named = os.environ.get("SLIPWAY_KUBESPRAY_NEXT" if newest else "SLIPWAY_KUBESPRAY", "")
    places = [Path(named)] if named else [] if newest else PLACES
    found = next((place for place in places if (place / HOME / "MANIFEST.json").exists()), None)
    if found is None:
        pytest.skip(f"Kubespray {request.param} is not installed")
    if not newest:
        version = json.loads((found / HOME / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"]
        assert version == "2.31.0"
    return found


@pytest.fixture(scope="module")
def outlines(real: Path, programs: Path) -> tuple[Outline, Outline]:
    """What Ansible makes of the real playbooks, and of the stand-in's."""
    both = []
    for place in (real, STANDIN):
        script = ROOT / "tests" / "contract" / "kubespray" / "outline.py"
        done = subprocess.run(
            [programs / "python", script, place, *PLAYBOOKS], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        both.append(json.loads(done.stdout))
    return both[0], both[1]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Iterator[Site]:
    with site(f"contract-{os.getpid()}", tmp_path_factory.mktemp("contract"), "1", "2") as one:
        yield one


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_plays_have_the_same_hosts_order_tags_and_batches(outlines: tuple[Outline, Outline], playbook: str) -> None:
    keys = ("hosts", "tags", "serial", "strategy", "fatal", "facts", "run_once")
    there, here = ([{key: play[key] for key in keys} for play in one[playbook]] for one in outlines)
    assert here == there


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_phases_have_the_same_tags(outlines: tuple[Outline, Outline], playbook: str) -> None:
    there, here = ([[role["tags"] for role in play["roles"]] for play in one[playbook]] for one in outlines)
    assert here == there


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_same_tasks_go_to_the_first_control_plane_host(outlines: tuple[Outline, Outline], playbook: str) -> None:
    compared = 0
    for there, here in zip(*(one[playbook] for one in outlines), strict=True):
        for theirs, ours in zip(there["roles"], here["roles"], strict=True):
            if set(theirs["tags"]) not in NOT_SIMULATED:
                assert ours["delegated"] == theirs["delegated"], (there["hosts"], theirs["tags"])
                compared += len(theirs["delegated"])
    assert compared or playbook in ("boilerplate", "facts", "internal_facts")


@pytest.mark.parametrize("playbook", ["remove_node", "reset"])
@pytest.mark.parametrize("kind", ["prompts", "refusals"])
def test_the_same_answers_confirm(outlines: tuple[Outline, Outline], playbook: str, kind: str) -> None:
    """Not by their words but by what comes of every combination of the variables and of a terminal's answer."""
    there, here = ([when for play in one[playbook] for when in play[kind]] for one in outlines)
    assert len(there) == len(here) == 1
    different = set()
    for variables in _combinations():
        theirs, ours = (all(_true(one, variables) for one in conditions) for conditions in (there[0], here[0]))
        assert ours == theirs, variables
        different.add(theirs)
    assert different == {True, False}


def _combinations() -> Iterator[dict[str, Any]]:
    """Both variables unset or set in the ways of ``-e``; the prompt skipped, without a terminal, or answered."""
    answers: tuple[dict[str, str], ...] = ({}, {"user_input": ""}, {"user_input": "yes"}, {"user_input": "no"})
    values = (None, "yes", "no", True, False)
    for skip, confirmed, answer in itertools.product(values, values, answers):
        given = {"skip_confirmation": skip, "reset_confirmation": confirmed}
        results = {"pause_result": answer, "reset_confirmation_prompt": answer}
        yield {name: value for name, value in given.items() if value is not None} | results


def _true(condition: str, variables: dict[str, Any]) -> bool:
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - conditions, no pages
    environment.filters["bool"] = lambda value: str(value).lower() in ("yes", "true", "1", "on")
    return bool(environment.compile_expression(condition)(**variables))


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_same_hosts_are_chosen(machines: Site, real: Path, programs: Path, playbook: str) -> None:
    """Over one inventory: all of it, and one worker."""
    for limit in ("all", "worker2"):
        words = ("--list-hosts", "--limit", limit)
        there, here = (
            _chosen(machines.ok(playbook, *words, python=programs, collections=place, node="worker2").out)
            for place in (real, STANDIN)
        )
        assert here == there
        assert there


def _chosen(text: str) -> list[tuple[str, set[str]]]:
    """Patterns and hosts of each play."""
    found: list[tuple[str, set[str]]] = []
    for line in text.splitlines():
        if pattern := re.match(r"\s+pattern: (.*)", line):
            found.append((pattern[1], set()))
        elif found and re.fullmatch(r"      [a-z0-9]+", line):
            found[-1][1].add(line.strip())
    return found


def test_facts_of_hosts(machines: Site, real: Path, programs: Path) -> None:
    """Its own ``boilerplate`` and ``facts`` over sshd hosts: who is contacted, and what is known of them afterwards."""
    known = []
    for place in (real, STANDIN):
        with counting(machines.hosts.values()) as new:
            machines.ok("boilerplate", alone=True, python=programs, collections=place)
        assert set(new.values()) == {0}
        with counting(machines.hosts.values()) as new:
            # The hosts of a lab have no package manager and no hostname service.
            words = {"override_system_hostname": False}
            skipped = ("--skip-tags", "system-packages")
            machines.ok("facts", *skipped, python=programs, collections=place, alone=True, **words)
        assert all(new.values())
        cache = machines.facts / programs.parent.name / place.name
        known.append({file.name: _addresses(file) for file in cache.iterdir()})
    assert known[0] == known[1]
    assert known[0].keys() == {"control1", "worker1", "worker2"}


def _addresses(file: Path) -> dict[str, Any]:
    facts = json.loads(file.read_text(encoding="utf-8"))
    facts = facts.get("__payload__", facts)
    facts = json.loads(facts) if isinstance(facts, str) else facts
    names = ("main_ip", "main_access_ip", "main_ips", "main_access_ips")
    assert facts.keys() > {*names, "ansible_default_ipv4", "ansible_memtotal_mb"}
    return {name: facts[name] for name in names}


def test_variables_exist_there(real: Path) -> None:
    """What the stand-in takes but its own, and what our playbooks pass by import."""
    ours = set()
    for file in (STANDIN / HOME / "roles").glob("*/defaults/main.yml"):
        ours |= set(yaml.safe_load(file.read_text(encoding="utf-8")))
    passed = set()
    for file in (ROOT / "playbooks").rglob("*.yml"):
        for play in yaml.safe_load(file.read_text(encoding="utf-8")):
            imported = str(play.get("ansible.builtin.import_playbook"))
            if "slipway.cluster.kubespray" in imported:
                passed |= set(play.get("vars") or {})
    assert {"kubeadm_token", "node", "skip_confirmation", "reset_confirmation", "serial"} <= passed
    words: set[str] = set()
    for file in (real / HOME).rglob("*"):
        if file.suffix in (".yml", ".yaml", ".j2") and "molecule" not in file.parts:
            words |= set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", file.read_text(encoding="utf-8")))
    wanted = {name for name in ours | passed if not name.startswith(("lab_", "slipway_", "__slipway_"))}
    assert len(wanted) > 50
    assert wanted - words == set()
