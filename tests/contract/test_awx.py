# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``slipway.cluster.awx`` by the real modules of ``awx.awx``, against the lab's AWX, which refuses what AWX refuses.

One story, its tests in order: described, again, changed, a stack turned into a cluster, one cluster removed, what is
no longer wanted, and then all of it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.awx.client import Client
from lab.awx.running import Awx
from lab.awx.settings import Settings
from lab.awx.user import User
from tests.contract.support import ROOT

pytestmark = pytest.mark.lab

STACKS = ROOT / "roles" / "new_cluster" / "files" / "stacks"
SECRET = "5f0c1c0e-made-for-this-test"
HOSTS = "node1=192.0.2.11\nnode2=192.0.2.12\nnode3=192.0.2.13"
OPERATIONS = (
    "plan",
    "install",
    "scale",
    "upgrade",
    "remove add-ons",
    "remove nodes",
    "remove cluster",
    "status",
    "access",
)
MADE = (
    "execution_environments",
    "credential_types",
    "credentials",
    "projects",
    "inventories",
    "inventory_sources",
    "job_templates",
    "schedules",
    "workflow_job_templates",
)
TASK = re.compile(r"^TASK \[slipway\.cluster\.awx : (.+)\] \*+$", re.MULTILINE)


@dataclass
class Team:
    """One that has a repository with two clusters, and an AWX."""

    awx: Awx
    client: Client
    folder: Path
    repository: Path
    settings: dict[str, Any]

    def run(self, playbook: str, **extra: Any) -> subprocess.CompletedProcess[str]:
        file = self.folder / "extra.json"
        file.write_text(json.dumps(extra), encoding="utf-8")
        words = (f"slipway.cluster.{playbook}", "-e", f"@{file}")
        return self.client.playbook(*words, access=self.awx.access(), folder=self.repository)

    def described(self, **extra: Any) -> subprocess.CompletedProcess[str]:
        done = self.run("awx", **{"slipway_awx": self.settings, "slipway_stacks": "stacks", **extra})
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
        return done

    def exported(self) -> Any:
        """Everything, as ``awx.awx.export`` has it."""
        (self.folder / "export.yml").write_text(yaml.safe_dump(EXPORT), encoding="utf-8")
        done = self.client.playbook("export.yml", access=self.awx.access(), folder=self.folder)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
        return json.loads((self.folder / "export.json").read_text(encoding="utf-8"))

    def names(self) -> set[tuple[str, str]]:
        """By what it is, of what a description makes."""
        things = json.loads(self.awx.dump())
        return {(kind, one["name"]) for kind in MADE for one in things[kind]}

    def user(self) -> User:
        return User(self.awx.url, self.awx.token)

    def held(self) -> dict[str, int]:
        """How many AWX has of each, without jobs and what AWX brings itself."""
        return {kind: len(things) for kind, things in json.loads(self.awx.dump()).items() if things}


EXPORT = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"awx.awx.export": {"all": True}, "register": "found"},
            {
                "ansible.builtin.copy": {
                    "dest": "export.json",
                    "content": "{{ found.assets | to_json(sort_keys=true) }}",
                }
            },
        ],
    }
]


def changed(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Names of tasks that said so."""
    _before, *parts = TASK.split(done.stdout)
    return {name for name, said in zip(parts[::2], parts[1::2], strict=True) if "changed: [" in said}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    home = folder / "home"
    home.mkdir()
    ours = ROOT / ".build" / "collections"
    client = Client(home, print, collections=(ours,))
    repository = folder / "repository"
    repository.mkdir()
    settings = Settings(
        folder / "awx", collections=(ours, Client.collections(client.python)), visible=(ROOT, repository)
    )
    with Awx(settings) as awx:
        one = Team(awx, client, folder, repository, {})
        for name in ("prod", "edge"):
            made = one.run(
                "new",
                slipway_stack="three_nodes",
                slipway_name=name,
                slipway_hosts=HOSTS,
                slipway_destination=str(repository),
            )
            assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-1000:]
        shutil.copytree(STACKS / "single_node", repository / "stacks" / "kiosk")
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "Two clusters"]):
            subprocess.run(
                ["git", "-c", "user.name=team", "-c", "user.email=team@example.com", *words], cwd=repository, check=True
            )
        one.settings = {
            "organization": "Default",
            "project": {"scm_url": f"file://{repository}", "scm_branch": "main"},
            "execution_environment": {"image": "registry.example.com/slipway/ee:1.0.0"},
            "credentials": [
                {
                    "name": "OpenBao",
                    "kind": "approle",
                    "inputs": {"address": "https://bao.example.com:8200", "role_id": "r", "secret_id": SECRET},
                },
                {
                    "name": "OpenBao by pod",
                    "kind": "service_account",
                    "inputs": {"address": "https://bao.example.com:8200", "jwt_file": "/var/run/secrets/slipway/token"},
                },
                {
                    "name": "OpenBao by pipeline",
                    "kind": "wrapped_token",
                    "inputs": {"address": "https://bao.example.com:8200"},
                },
            ],
            "clusters": [
                {"name": "prod", "inventory": "inventories/prod", "credentials": ["OpenBao"]},
                {
                    "name": "edge",
                    "inventory": "inventories/edge",
                    "credentials": ["OpenBao by pipeline"],
                    "operations": ["plan", "install"],
                    "schedule": False,
                },
            ],
            "fleet": {"credentials": ["OpenBao by pod"], "schedule": {"at": "04:30", "timezone": "Europe/Berlin"}},
            "new_cluster": {"controller_credential": "AWX itself", "credentials": ["OpenBao"]},
        }
        (folder / "itself.yml").write_text(yaml.safe_dump(itself(awx)), encoding="utf-8")
        done = client.playbook("itself.yml", access=awx.access(), folder=folder)
        assert done.returncode == 0, done.stdout[-3000:]
        yield one


def itself(awx: Awx) -> list[dict[str, Any]]:
    """A play that gives AWX a credential for itself."""
    arguments = {
        "name": "AWX itself",
        "organization": "Default",
        "credential_type": "Red Hat Ansible Automation Platform",
        "inputs": {"host": awx.url, "oauth_token": awx.token, "verify_ssl": False},
    }
    return [{"hosts": "localhost", "gather_facts": False, "tasks": [{"awx.awx.credential": arguments}]}]


@pytest.fixture(scope="module")
def before(team: Team) -> dict[str, int]:
    return team.held()


@pytest.fixture(scope="module")
def described(team: Team, before: dict[str, int]) -> Any:
    """What AWX has after the first run, and when a pipeline has written a token."""
    assert before
    done = team.described()
    assert SECRET not in done.stdout + done.stderr
    user = team.user()
    credential = user.find("credentials", "OpenBao by pipeline")
    user.call("PATCH", credential["url"], {"inputs": {**credential["inputs"], "wrapped_token": "s.made-for-one-job"}})
    return team.exported()


def test_every_operation_is_a_template_of_every_cluster(described: Any) -> None:
    names = {one["name"] for one in described["job_templates"]}
    assert names == {
        *(f"Slipway prod: {operation}" for operation in OPERATIONS),
        "Slipway edge: plan",
        "Slipway edge: install",
        "Slipway fleet: status",
        "Slipway: new cluster",
    }
    assert {one["name"] for one in described["schedules"]} == {
        "Slipway prod: status, every night",
        "Slipway fleet: status, every night",
    }
    # One without status has no workflow, whose last step it is.
    assert [one["name"] for one in described["workflow_job_templates"]] == ["Slipway prod: plan, approve, install"]


def test_second_run_changes_nothing_but_the_workflow_with_its_approval(team: Team, described: Any) -> None:
    assert changed(team.described()) == {"Workflows"}
    found = team.exported()
    assert found == described
    (credential,) = (one for one in found["credentials"] if one["name"] == "OpenBao by pipeline")
    assert credential["inputs"] == {"address": "https://bao.example.com:8200", "wrapped_token": "$encrypted$"}


def test_a_change_is_one_and_secrets_are_written_again_only_when_that_is_wanted(team: Team, described: Any) -> None:
    """The counterpart of the test before."""
    team.settings["clusters"][1]["forks"] = 33
    assert changed(team.described(slipway_awx_update_secrets="true")) == {"Credentials", "Job templates", "Workflows"}
    found = team.exported()
    (template,) = (one for one in found["job_templates"] if one["name"] == "Slipway edge: plan")
    assert template["forks"] == 33
    assert found["credentials"] == described["credentials"]


def test_a_stack_is_turned_into_a_cluster(team: Team, described: Any) -> None:
    """By a job, whose files are gone with it; the stack is the team's own, which the job finds in the project."""
    (template,) = (one for one in described["job_templates"] if one["name"] == "Slipway: new cluster")
    assert SECRET not in template["extra_vars"]
    answers = {"slipway_stack": "kiosk", "slipway_name": "trial", "slipway_hosts": "box=192.0.2.30"}
    user = team.user()
    job = user.launch("Slipway: new cluster", **answers)
    assert job.status == "successful", f"{job.explanation}\n{job.stdout[-5000:]}"
    assert (job.artifacts["slipway_new"]["cluster"], job.artifacts["slipway_new"]["stack"]) == ("trial", "kiosk")
    found = team.exported()
    assert {f"Slipway trial: {operation}" for operation in OPERATIONS} <= {
        one["name"] for one in found["job_templates"]
    }
    (inventory,) = (one for one in found["inventory"] if one["name"] == "Slipway trial")
    assert yaml.safe_load(inventory["variables"])["slipway_name"] == "trial"
    again = user.launch("Slipway: new cluster", **answers)
    assert again.status == "failed"
    assert "SLW-9007" in again.stdout
    assert team.exported() == found


@pytest.mark.parametrize(
    ("consent", "text"),
    [
        ("prod", "a cluster is taken out of slipway_awx.clusters first"),
        ("controller", "Slipway controller is no cluster"),
        ("trail", "did you mean 'trial'?"),
        ("slipway", "did you mean 'Slipway', which removes everything?"),
    ],
)
def test_consent_for_nothing_is_refused(team: Team, described: Any, consent: str, text: str) -> None:
    held = team.held()
    refused = team.run("awx", slipway_awx=team.settings, slipway_remove_awx=consent)
    assert (refused.returncode, "SLW-9005" in refused.stdout, text in refused.stdout) == (2, True, True), refused.stdout
    assert team.held() == held


def test_stacks_that_no_job_would_have_are_not_offered(team: Team, described: Any) -> None:
    before = team.held()
    done = team.run("awx", slipway_awx=team.settings, slipway_stacks=str(STACKS.parent.parent))
    assert (done.returncode, "lies outside of the project" in done.stdout) == (2, True), done.stdout[-3000:]
    assert team.held() == before


def test_a_new_cluster_does_not_get_the_name_of_what_all_share(team: Team, described: Any) -> None:
    before = team.exported()
    answers = {"slipway_stack": "single_node", "slipway_name": "fleet", "slipway_hosts": "box=192.0.2.32"}
    job = User(team.awx.url, team.awx.token).launch("Slipway: new cluster", **answers)
    assert (job.status, "SLW-9002" in job.stdout) == ("failed", True), job.stdout[-3000:]
    assert team.exported() == before


def test_a_cluster_is_removed_and_no_other(team: Team, described: Any) -> None:
    names = team.names()
    del team.settings["clusters"][1]
    team.described(slipway_remove_awx="edge")
    assert names - team.names() == {
        ("inventories", "Slipway edge"),
        ("inventory_sources", "Slipway edge: project"),
        ("job_templates", "Slipway edge: install"),
        ("job_templates", "Slipway edge: plan"),
    }


def test_what_is_no_longer_wanted_is_gone(team: Team, described: Any) -> None:
    """Also where nothing was: the second time nothing changes but the workflow."""
    names = team.names()
    (prod,) = team.settings["clusters"]
    prod |= {"schedule": False, "operations": ["plan", "install", "status", "access"]}
    team.settings["fleet"]["schedule"] = False
    del team.settings["new_cluster"], team.settings["project"]["scm_branch"]
    assert {"Project", "Schedules that are no longer wanted"} <= changed(team.described())
    gone = ("scale", "upgrade", "remove add-ons", "remove nodes", "remove cluster")
    assert names - team.names() == {
        ("job_templates", "Slipway: new cluster"),
        *(("job_templates", f"Slipway prod: {operation}") for operation in gone),
        ("schedules", "Slipway fleet: status, every night"),
        ("schedules", "Slipway prod: status, every night"),
    }
    assert team.user().find("projects", "Slipway project")["scm_branch"] == ""
    assert changed(team.described()) == {"Workflows"}


def test_all_of_it_is_removed(team: Team, described: Any, before: dict[str, int]) -> None:
    """Also what the settings do not have: a cluster that a survey has made, operations and credentials."""
    assert team.held() != before
    team.settings["clusters"][0]["operations"] = ["plan"]
    del team.settings["credentials"][1:]
    team.settings["fleet"] = False
    team.described(slipway_remove_awx="Slipway")
    left = team.held()
    assert {kind: number for kind, number in left.items() if "update" not in kind and "job" not in kind} == {
        kind: number for kind, number in before.items() if "update" not in kind and "job" not in kind
    }
    assert {name for _kind, name in team.names() if name.startswith("Slipway")} == set()
    assert changed(team.described(slipway_remove_awx="Slipway")) == set()


def test_all_that_is_wrong_is_told_at_once_and_awx_is_not_asked(team: Team) -> None:
    asked = team.held()
    wrong = {
        **team.settings,
        "organisation": "x",
        "clusters": [{"name": "Prod_1", "inventry": "x", "inventory": "x", "schedule": {"at": "25:00"}}],
    }
    done = team.run("awx", slipway_awx=wrong)
    assert done.returncode == 2
    for text in (
        "did you mean organization?",
        "did you mean inventory?",
        "'Prod_1' is not allowed",
        "write a time as 02:30",
    ):
        assert text in done.stdout
    assert team.held() == asked
