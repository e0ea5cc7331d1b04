# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a job of the lab's AWX gets: answers and their types, credentials, and a container of its own."""

from __future__ import annotations

from typing import Any

import pytest

from lab.awx.user import Job
from tests.lab.awx_site import DEFAULT, Site, question

pytestmark = pytest.mark.lab

TEXT = "AnsibleUnsafeText"
QUESTIONS = [
    question("told_text", "text"),
    question("told_textarea", "textarea"),
    question("told_password", "password"),
    question("told_list_as_text", "text"),
    question("told_integer", "integer"),
    question("told_float", "float", required=False, default=1.5),
    question("told_choice", "multiplechoice", choices=["true", "false"]),
    question("told_several", "multiselect", choices=["a", "b", "c"]),
    question("told_unanswered", "text", required=False, default="a default"),
    question("untold_several", "multiselect", required=False, choices=["a", "b"], default="a\nb"),
]
ANSWERS: dict[str, Any] = {
    "told_text": "{{ 1 + 1 }}",
    "told_textarea": "two\nlines",
    "told_password": "hush",
    "told_list_as_text": "[1, 2]",
    "told_integer": 12,
    "told_choice": "true",
    "told_several": ["a", "c"],
    "ignored": "not in the survey",
}
OWN = {"told_true": True, "told_number": 3, "told_list": [1, "x"], "told_sum": "{{ 1 + 1 }}", "look": "yes"}
KNOWN = ("job_id", "job_template_name", "job_launch_type", "user_name", "inventory_name")
SECRET = "a secret of two\nlines"


@pytest.fixture(scope="module")
def job(site: Site) -> Job:
    """One that says all there is to say."""
    kind = site.made(
        "credential_types",
        kind="cloud",
        inputs={"fields": [{"id": "token", "label": "Token", "secret": True}, {"id": "role", "label": "Role"}]},
        injectors={
            "env": {"LAB_TOKEN": "{{ token }}", "LAB_ROLE": "{{ role }}", "LAB_HIDDEN": "{{ token }}"},
            "file": {"template.a": "{{ token }}", "template.b": "{{ role }}"},
            "extra_vars": {"told_file": "{{ tower.filename.a }}", "told_integer": "of the credential"},
        },
    )
    inputs = {"token": SECRET, "role": "reader"}
    credential = site.made("credentials", organization=DEFAULT, credential_type=kind["id"], inputs=inputs)
    template = site.template(QUESTIONS, extra_vars=str(OWN))
    site.user.call("POST", f"{template['url']}credentials/", {"id": credential["id"]})
    done = site.user.launch(template["name"], **ANSWERS)
    assert done.status == "successful", done.stdout
    return done


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("told_text", "{{ 1 + 1 }}", TEXT),
        ("told_textarea", "two\nlines", TEXT),
        ("told_password", "hush", TEXT),
        ("told_list_as_text", "[1, 2]", TEXT),
        ("told_integer", 12, "int"),
        ("told_float", 1.5, "float"),
        ("told_choice", "true", TEXT),
        ("told_several", ["a", "c"], "AnsibleSequence"),
        ("told_unanswered", "a default", TEXT),
        ("told_true", True, "bool"),
        ("told_number", 3, "int"),
        ("told_list", [1, "x"], "AnsibleSequence"),
    ],
)
def test_answers_keep_their_types(job: Job, name: str, value: object, kind: str) -> None:
    assert job.artifacts[name] == [value, kind]


def test_a_templates_own_variables_are_templates(job: Job) -> None:
    assert job.artifacts["told_sum"][0] in (2, "2")


def test_what_is_not_asked_for_is_dropped_silently(job: Job) -> None:
    assert "ignored" not in job.shown["extra_vars"]
    # The default of a multiselect is no list, so it does not answer its own question.
    assert "untold_several" not in job.shown["extra_vars"]


def test_the_password_of_a_survey_is_not_shown_but_as_an_artifact(job: Job) -> None:
    assert "hush" not in job.shown["extra_vars"]
    assert "hush" in str(job.artifacts)


def test_credentials_arrive_as_variables_files_and_environment(job: Job) -> None:
    looked = job.artifacts["looked"]
    path = job.artifacts["told_file"][0]
    assert path.startswith("/runner/env/tmp")
    assert looked["files"][path] == ["600", SECRET]
    assert ["600", "reader"] in looked["files"].values()
    # Of a variable, podman reads one line.
    assert looked["environment"]["LAB_TOKEN"] == "a secret of two"
    assert looked["environment"]["LAB_ROLE"] == "reader"


def test_secrets_of_credentials_are_masked_where_the_environment_is_shown(job: Job) -> None:
    shown = job.shown["job_env"]
    assert shown["LAB_TOKEN"] == shown["LAB_HIDDEN"] == "**********"
    assert shown["LAB_ROLE"] == "reader"
    assert shown["ANSIBLE_HOST_KEY_CHECKING"] == "False"


def test_the_job_has_awxs_environment_and_nothing_of_the_labs(job: Job) -> None:
    environment = job.artifacts["looked"]["environment"]
    expected = {
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_FORCE_COLOR": "True",
        "ANSIBLE_STDOUT_CALLBACK": "awx_display",
        "ANSIBLE_CALLBACK_PLUGINS": f"/runner/artifacts/{job.id}/callback",
        "AWX_ISOLATED_DATA_DIR": f"/runner/artifacts/{job.id}",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": "/runner/cp",
        "JOB_ID": str(job.id),
        "HOME": "/root",
        "TERM": "xterm",
        "container": "podman",
    }
    assert expected.items() <= environment.items()
    assert environment["ANSIBLE_COLLECTIONS_PATH"].endswith(":/usr/share/ansible/collections")
    assert not [name for name in environment if name.startswith(("PYTEST", "SLIPWAY", "XDG"))]


def test_the_container_is_the_jobs_own(site: Site, job: Job) -> None:
    readable = site.awx.settings.readable()
    looked = job.artifacts["looked"]
    assert looked["folder"] == "/runner/project"
    assert looked["user"] == 0
    assert looked["terminal"] == [80, 24]
    assert looked["processes"][0] == 1
    assert len(looked["processes"]) < 20
    assert {"project", "env", "inventory", "artifacts"} <= set(looked["runner"])
    assert looked["inventory"]
    # 63 MB, as podman gives.
    assert 60_000_000 < looked["memory"] < 70_000_000
    for place, own in (("home", "/root"), ("temporary", "/tmp")):
        shared = [path.relative_to(own).parts[0] for path in readable if path.is_relative_to(own)]
        assert not {name for name in looked[place] if not name.startswith("ansible")} - {".ansible", *shared}
    assert looked["collections"] == looked["system"] == "Read-only file system"


def test_the_job_knows_who_launched_what(site: Site) -> None:
    template = site.template(extra_vars=str({f"told_{name}": f"{{{{ awx_{name} }}}}" for name in KNOWN}))
    done = site.user.launch(template["name"])
    told = {name: str(done.artifacts[f"told_{name}"][0]) for name in KNOWN}
    assert told == {
        "job_id": str(done.id),
        "job_template_name": template["name"],
        "job_launch_type": "manual",
        "user_name": "admin",
        "inventory_name": "machines",
    }
    shown = site.user.call("GET", f"{done.shown['url']}job_host_summaries/")["results"]
    assert [(one["host_name"], one["failed"]) for one in shown] == [("here", False)]
    events = site.user.call("GET", f"{done.shown['url']}job_events/?event=playbook_on_stats")["results"]
    assert [event["job"] for event in events] == [done.id]
