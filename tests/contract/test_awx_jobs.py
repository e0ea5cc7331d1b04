# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every job template of ``slipway.cluster.awx``, launched: a cluster's life in jobs, with nobody at a terminal.

Jobs run by ansible-runner in containers of the lab, with what AWX gives them and nothing else: the project from git,
the inventory as a script, answers of surveys as extra variables, a credential as environment, collections that are
read-only. One story, its tests in the order of a cluster's life.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.stacks.project import project_files
from lab import authority
from lab.awx.client import Client
from lab.awx.running import Awx
from lab.awx.settings import Settings
from lab.awx.user import AwxError, Job, User
from tests.contract.kubespray.operations import Operations, operations
from tests.contract.kubespray.site import STANDIN
from tests.contract.support import CHARTS, ROOT

pytestmark = pytest.mark.lab

OLD, NEW = "1.34.7", "1.35.4"
# Two workers, so that what one of them is drained of has somewhere to go.
FIRST, LATER = ("control1", "worker1", "worker2"), "worker3"
# What a terminal would obey, but for colours, which AWX asks for, and line ends.
CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\x9b]|\x1b(?!\[[0-9;]*m)")
PROJECT = ROOT / "roles" / "new_cluster" / "files" / "project"
INVENTORY = "inventories/lab"


@dataclass
class Team:
    """Hosts, a repository with their inventory, and an AWX that was given both."""

    site: Operations
    awx: Awx
    user: User
    repository: Path
    secrets: list[str]

    def commit(self, *names: str, **variables: Any) -> None:
        """The team's inventory, with these hosts."""
        ssh = self.site.ssh()
        ssh["openbao"] = {"role": "slipway"}
        addons = {"portal": {"chart": {"path": "../../charts/portal"}, "namespace": "portal"}}
        given = {"kube_version": OLD, "slipway_addons": addons, **variables}
        self.site.write(*names, slipway_ssh=ssh, lab_calls="/dev/null", **given)
        for words in (["add", "-A"], ["commit", "-qm", "Hosts", "--allow-empty"]):
            git(self.repository, *words)

    def run(self, title: str, **answers: Any) -> Job:
        return self.judged(self.user.launch(f"Slipway {title}", **answers))

    def judged(self, job: Job) -> Job:
        """What holds of every job, however it ends: lines of text, no question, and no secret in them."""
        assert [line for line in job.stdout.splitlines() if CONTROL.search(line)] == []
        assert [secret for secret in self.secrets if secret in job.stdout + json.dumps(job.artifacts)] == []
        return job

    def done(self, title: str, **answers: Any) -> Job:
        job = self.run(title, **answers)
        assert job.status == "successful", job.stdout[-5000:]
        return job


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=team", "-c", "user.email=team@example.com", *words], cwd=folder, check=True)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("awx")
    repository = folder / "repository"
    for path, text in project_files(PROJECT, "lab").items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(text, encoding="utf-8")
    shutil.copytree(CHARTS / "portal", repository / "charts" / "portal")
    git(repository, "init", "-q")
    with operations(f"awx-{os.getpid()}", folder, "1", "3") as site:
        site.inventory = repository / INVENTORY
        bao = authority.get(site.env).bao
        bao.need("POST", f"auth/approle/role/{authority.ROLE}", {"secret_id_num_uses": 0})
        role, secret = authority.get(site.env).app_role()
        root = Path(site.env["bao_token_file"]).read_text(encoding="utf-8").strip()
        settings = Settings(
            folder / "awx",
            collections=(ROOT / ".build" / "collections", STANDIN),
            visible=(repository, ROOT),
        )
        with Awx(settings) as awx:
            one = Team(site, awx, User(awx.url, awx.token, seconds=900), repository, [secret, root])
            one.commit(*FIRST)
            described(one, folder, role, secret)
            yield one


def described(team: Team, folder: Path, role: str, secret: str) -> None:
    home = folder / "home"
    home.mkdir()
    settings = {
        "organization": "Default",
        "project": {"scm_url": f"file://{team.repository}"},
        "execution_environment": {"image": "registry.example.com/slipway/ee:1.0.0"},
        "credentials": [
            {
                "name": "OpenBao",
                "kind": "approle",
                "inputs": {"address": team.site.env["bao_address"], "role_id": role, "secret_id": secret},
            },
            {
                "name": "OpenBao administrator",
                "kind": "token",
                "inputs": {"address": team.site.env["bao_address"], "token": team.secrets[1]},
            },
        ],
        "clusters": [
            {
                "name": "lab",
                "inventory": INVENTORY,
                "credentials": ["OpenBao"],
                "access_credentials": ["OpenBao administrator"],
                "variables": {"slipway_cache_dir": "/tmp/slipway", "slipway_helm": team.site.env["bin"]["helm"]},
            }
        ],
    }
    (folder / "awx.json").write_text(json.dumps({"slipway_awx": settings}), encoding="utf-8")
    client = Client(home, print, collections=(ROOT / ".build" / "collections",))
    done = client.playbook("slipway.cluster.awx", "-e", "@awx.json", access=team.awx.access(), folder=folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.fixture(scope="module")
def installed(team: Team) -> Team:
    """By the workflow: plan, approval, install, status."""
    workflow = team.user.start("Slipway lab: plan, approve, install")
    try:
        team.user.approve(workflow)
    except TimeoutError:
        pytest.fail("\n".join(job.stdout[-5000:] for job in team.user.look(workflow).jobs))
    # The plan had been made by then, and nothing else.
    assert team.site.orders("init") == []
    ended = team.user.wait(workflow)
    jobs = {job.name: team.judged(job) for job in ended.jobs}
    assert ended.status == "successful", [(job.name, job.status, job.stdout[-3000:]) for job in ended.jobs]
    assert jobs["Slipway lab: plan"].artifacts["slipway_nodes_plan"]["creates"] is True
    status = jobs["Slipway lab: status"]
    # The lab's API server is of the newer version from the start.
    assert "3 nodes: 3 Ready, 3 skewed" in status.stdout
    return team


@pytest.fixture(scope="module")
def upgraded(installed: Team) -> Team:
    """The inventory in git has another version; nobody tells AWX."""
    installed.commit(*FIRST, kube_version=NEW)
    installed.done("lab: upgrade", slipway_upgrade_batch="50%")
    return installed


@pytest.fixture(scope="module")
def grown(upgraded: Team) -> Team:
    upgraded.commit(*FIRST, LATER, kube_version=NEW, lab_fail={"node": [LATER]})
    job = upgraded.run("lab: scale", slipway_node_timeout=120)
    assert (job.status, "ordered by lab_fail" in job.stdout) == ("failed", True), job.stdout[-3000:]
    # The next job is in another container: it cannot see that this one is over.
    assert "this run's claim on the nodes has ended with it" in job.stdout
    assert not upgraded.site.held()
    upgraded.commit(*FIRST, LATER, kube_version=NEW)
    job = upgraded.done("lab: scale", slipway_node_timeout=120)
    assert "an earlier scale by AWX job" in job.stdout
    assert job.artifacts["slipway_nodes_plan"]["runs"] == {"scale": [LATER]}
    return upgraded


def test_workflow_installs_after_its_approval(installed: Team) -> None:
    assert set(installed.site.nodes()) == set(FIRST)
    assert installed.site.get("/apis/apps/v1/namespaces/portal/deployments/portal")["metadata"]["name"] == "portal"


def test_upgraded(upgraded: Team) -> None:
    assert set(upgraded.site.nodes().values()) == {f"v{NEW}"}


def test_a_second_installation_has_nothing_to_do(upgraded: Team) -> None:
    job = upgraded.done("lab: install")
    assert job.artifacts["slipway_nodes_plan"]["runs"] == {}
    assert job.artifacts["slipway_result"] == "unchanged"


def test_scaled(grown: Team) -> None:
    assert set(grown.site.nodes()) == {*FIRST, LATER}


def test_access_is_proved(grown: Team) -> None:
    job = grown.done("lab: access")
    # One host, then more, then all.
    assert job.stdout.count("Trust the authority, and prove it by a login") == 3


@pytest.mark.parametrize(
    ("title", "answers", "words"),
    [
        ("remove nodes", {}, "'slipway_remove_nodes' value missing"),
        ("remove cluster", {}, "'slipway_remove_cluster' value missing"),
        ("remove add-ons", {"slipway_remove_addons": ""}, "slipway_remove_addons"),
        ("scale", {"slipway_node_timeout": "120"}, "expected to be an integer"),
        ("install", {"slipway_converge": "yes"}, "expected to be one of"),
        ("status", {"slipway_fail_on": "drift"}, "expected to be a list"),
    ],
)
def test_awx_refuses_what_the_survey_does_not_allow(
    grown: Team, title: str, answers: dict[str, Any], words: str
) -> None:
    with pytest.raises(AwxError, match=re.escape(words)):
        grown.user.launch(f"Slipway lab: {title}", **answers)


@pytest.mark.parametrize(
    ("title", "answers", "words"),
    [
        ("remove nodes", {"slipway_remove_nodes": " "}, "SLW-"),
        ("remove nodes", {"slipway_remove_nodes": "worker9"}, "worker9"),
        ("remove nodes", {"slipway_remove_nodes": LATER, "slipway_drain_batch": "many"}, "slipway_drain_batch"),
        ("remove nodes", {"slipway_remove_nodes": "{{ groups.all }}"}, "SLW-"),
        ("remove cluster", {"slipway_remove_cluster": "prod"}, "prod"),
        ("remove add-ons", {"slipway_remove_addons": "gone"}, "gone"),
        ("upgrade", {"slipway_upgrade_batch": "half"}, "slipway_upgrade_batch"),
        ("install", {"slipway_adopt_cluster": "prod", "slipway_overwrite": "nothing"}, "nothing"),
        ("access", {"slipway_remove_static_keys": "prod"}, "prod"),
    ],
)
def test_what_awx_lets_through_is_refused_before_anything_is_touched(
    grown: Team, title: str, answers: dict[str, Any], words: str
) -> None:
    before = (grown.site.nodes(), len(grown.site.orders("join")), len(grown.site.orders("reset")))
    job = grown.run(f"lab: {title}", **answers)
    assert job.status == "failed", job.stdout[-3000:]
    assert words in job.stdout
    assert "SLW-" in job.stdout
    assert not grown.site.held(), "the next job, in another container, would have to wait"
    assert (grown.site.nodes(), len(grown.site.orders("join")), len(grown.site.orders("reset"))) == before


def test_nightly_look_fails_on_drift_and_only_then(grown: Team) -> None:
    name = "Slipway lab: status, every night"
    assert grown.judged(grown.user.fire(name)).status == "successful"
    path = "/apis/apps/v1/namespaces/portal/deployments/portal"
    with grown.site.api() as api:
        api.need("PATCH", path, {"metadata": {"labels": {"app.kubernetes.io/name": "other"}}})
    job = grown.judged(grown.user.fire(name))
    assert (job.status, "SLW-4901" in job.stdout) == ("failed", True), job.stdout[-3000:]
    job = grown.done("lab: install", slipway_overwrite="portal")
    assert job.artifacts["slipway_result"] == "changes"


def test_fleet(grown: Team) -> None:
    job = grown.done("fleet: status")
    assert list(job.artifacts["slipway_fleet_status"]["clusters"]) == ["lab"]


def test_node_is_removed(grown: Team) -> None:
    grown.done("lab: remove nodes", slipway_remove_nodes=LATER, slipway_drain_timeout=60)
    assert set(grown.site.nodes()) == set(FIRST)
    grown.commit(*FIRST, kube_version=NEW)


def test_add_on_is_removed(grown: Team) -> None:
    grown.done("lab: remove add-ons", slipway_remove_addons="portal")
    with grown.site.api() as api:
        assert api.call("GET", "/apis/apps/v1/namespaces/portal/deployments/portal")[0] == 404


def test_cluster_is_removed(grown: Team) -> None:
    grown.done("lab: remove cluster", slipway_remove_cluster=grown.site.name)
    assert len(grown.site.orders("reset")) >= 2
