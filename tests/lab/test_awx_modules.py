# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The unmodified modules of awx.awx describe what the lab's AWX shall be, twice: then nothing changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.awx.client import Client
from lab.awx.running import USER, Awx
from lab.awx.settings import Settings
from lab.awx.user import User

pytestmark = pytest.mark.lab

TASKS = """
- awx.awx.organization: {name: Team, description: all of us}
- awx.awx.credential_type:
    name: OpenBao
    kind: cloud
    inputs: {fields: [{id: role_id, label: Role}, {id: secret_id, label: Secret, secret: true}]}
    injectors:
      env: {LAB_ROLE_ID: !unsafe "{{ role_id }}"}
      file: {template: !unsafe "{{ secret_id }}"}
      extra_vars: {secret_id_file: !unsafe "{{ tower.filename }}"}
- awx.awx.credential:
    name: bao
    organization: Team
    credential_type: OpenBao
    inputs: {role_id: r, secret_id: s}
    update_secrets: false
- awx.awx.execution_environment: {name: ours, image: registry.example/ee:1, organization: Team}
- awx.awx.project: {name: clusters, organization: Team, scm_type: manual, local_path: plays, default_environment: ours}
- awx.awx.inventory: {name: prod, organization: Team, variables: {a: 1}}
- awx.awx.host: {name: here, inventory: prod, variables: {ansible_connection: local}}
- awx.awx.group: {name: workers, inventory: prod, hosts: [here]}
- awx.awx.job_template:
    name: install
    organization: Team
    project: clusters
    inventory: prod
    playbook: site.yml
    credentials: [bao]
    execution_environment: ours
    extra_vars: {b: true, l: [1, 2]}
    ask_limit_on_launch: true
    survey_enabled: true
    survey_spec:
      name: install
      description: ""
      spec:
        - {question_name: What, variable: what, type: text, required: true}
        - {question_name: How many, variable: n, type: integer, required: false, default: 3, min: 0, max: 10}
        - {question_name: Which, variable: which, type: multiselect, required: false, choices: [a, b], default: "a\\nb"}
- awx.awx.schedule:
    name: nightly
    organization: Team
    unified_job_template: install
    rrule: "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1"
    extra_data: {what: x}
- awx.awx.workflow_job_template:
    name: flow
    organization: Team
    survey_enabled: true
    survey_spec:
      name: flow
      description: ""
      spec: [{question_name: What, variable: what, type: text, required: true}]
    workflow_nodes:
      - identifier: plan
        unified_job_template: {name: install, type: job_template, organization: {name: Team}}
        related: {success_nodes: [{identifier: sure}]}
      - identifier: sure
        unified_job_template: {name: sure, type: workflow_approval, description: really}
        related: {success_nodes: [{identifier: install}]}
      - identifier: install
        unified_job_template: {name: install, type: job_template, organization: {name: Team}}
"""
EXPORT = """
- awx.awx.export: {all: true}
  register: found
- ansible.builtin.copy: {content: "{{ found.assets | to_json }}", dest: "{{ exported }}"}
  changed_when: false
"""
HEAD = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
"""


@dataclass
class Described:
    awx: Awx
    client: Client
    folder: Path
    runs: list[tuple[str, Any]]

    def play(self, tasks: str, access: dict[str, str] | None = None, *words: str) -> str:
        """The output of a playbook that came to its end."""
        playbook = self.folder / "play.yml"
        playbook.write_text(HEAD + "".join(f"    {line}\n" for line in tasks.splitlines()), encoding="utf-8")
        access = self.awx.access() if access is None else access
        done = self.client.playbook(playbook, *words, access=access, folder=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """Told the same twice, and exported after each time."""
    folder = tmp_path_factory.mktemp("described")
    (folder / "home").mkdir()
    (folder / "awx" / "projects" / "plays").mkdir(parents=True)
    (folder / "awx" / "projects" / "plays" / "site.yml").write_text("- hosts: all\n", encoding="utf-8")
    with Awx(Settings(folder / "awx")) as awx:
        found = Described(awx, Client(folder / "home", print), folder, [])
        for turn in (1, 2):
            exported = folder / f"exported-{turn}.json"
            said = found.play(TASKS + EXPORT, None, "-e", f"exported={exported}")
            found.runs.append((said, json.loads(exported.read_text(encoding="utf-8"))))
        yield found


def changed(said: str) -> list[str]:
    """The tasks that changed something."""
    return re.findall(r"TASK \[([^\]]+)\] \**\n(?:\[[^\n]*\n|[^\n]+\n)*?changed:", said)


def test_a_second_run_changes_nothing_but_the_workflow_with_an_approval(described: Described) -> None:
    first, second = (said for said, _exported in described.runs)
    assert len(changed(first)) == TASKS.count("\n- awx.awx.")
    assert changed(second) == ["awx.awx.workflow_job_template"]


def test_exports_after_both_runs_are_equal(described: Described) -> None:
    first, second = (exported for _said, exported in described.runs)
    assert first == second
    (template,) = first["job_templates"]
    assert template["natural_key"]["organization"]["name"] == "Team"
    assert template["related"]["survey_spec"]["spec"][0]["variable"] == "what"
    (credential,) = first["credentials"]
    assert credential["inputs"] == {"role_id": "r", "secret_id": "$encrypted$"}
    (flow,) = first["workflow_job_templates"]
    assert len(flow["related"]["workflow_nodes"]) == 3


def test_modules_log_in_by_name_and_password_too_and_can_launch(described: Described) -> None:
    access = {
        "CONTROLLER_HOST": described.awx.url,
        "CONTROLLER_USERNAME": USER,
        "CONTROLLER_PASSWORD": described.awx.password,
    }
    launch = "- awx.awx.job_launch: {name: install, extra_vars: {what: now}, wait: true, interval: 0.2}\n"
    assert "changed: [localhost]" in described.play(launch, access)
    job = User(described.awx.url, described.awx.token).call("GET", "jobs/")["results"][0]
    assert job["status"] == "successful"
    assert json.loads(job["extra_vars"]) == {"b": True, "l": [1, 2], "n": 3, "what": "now"}


def test_what_was_described_can_be_removed(described: Described) -> None:
    described.play(
        "- awx.awx.organization: {name: Team, state: absent}\n- awx.awx.project: {name: clusters, state: absent}"
    )
    user = User(described.awx.url, described.awx.token)
    names = ("organizations", "inventories", "projects", "schedules", "job_templates", "workflow_job_templates")
    left = {name: [thing["name"] for thing in user.call("GET", f"{name}/")["results"]] for name in names}
    assert left["organizations"] == ["Default"]
    assert left["projects"] == []
