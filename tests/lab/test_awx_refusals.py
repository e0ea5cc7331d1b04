# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the lab's AWX refuses in templates, launches, projects, inventories and schedules, each beside what it takes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import urllib3

from lab.awx.running import USER
from tests.lab.awx_site import DEFAULT, Site, question

pytestmark = pytest.mark.lab

CHOICES = ["true", "false"]
ASKED = [
    question("text", "text", min=2, max=5),
    question("number", "integer", min=1, max=9),
    question("choice", "multiplechoice", required=False, choices=CHOICES),
    question("several", "multiselect", required=False, choices=["a", "b"]),
    question("share", "float", required=False, default=0.5),
    question("needed", "text", default="for the form only"),
]
GOOD: dict[str, Any] = {"text": "abc", "number": 3, "needed": "x"}


@pytest.fixture(scope="module")
def asking(site: Site) -> dict[str, Any]:
    return site.template(ASKED)


@pytest.fixture(scope="module")
def asking_workflow(site: Site) -> dict[str, Any]:
    made = site.made("workflow_job_templates", organization=DEFAULT, survey_enabled=True)
    site.ask(made, ASKED)
    return made


WRONG = {
    "needed, whatever its default": ({"needed": None}, "'needed' value missing"),
    "text of digits": ({"number": "3"}, "expected to be an integer"),
    "boolean": ({"number": True}, "expected to be an integer"),
    "fraction": ({"number": 1.5}, "expected to be an integer"),
    "too much": ({"number": 10}, "too large"),
    "too little": ({"number": 0}, "too small"),
    "number": ({"text": 5}, "expected to be a string"),
    "too short": ({"text": "a"}, "too small"),
    "too long": ({"text": "abcdef"}, "too large"),
    "a boolean choice": ({"choice": True}, "expected to be one of"),
    "another choice": ({"choice": "maybe"}, "expected to be one of"),
    "one of several": ({"several": "a"}, "expected to be a list"),
    "others of several": ({"several": ["a", "c"]}, "expected to be one of"),
    "share": ({"share": "0.5"}, "expected to be a numeric type"),
}


@pytest.mark.parametrize("kind", ["asking", "asking_workflow"])
@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_answers_that_awx_refuses(
    site: Site, request: pytest.FixtureRequest, kind: str, change: dict[str, Any], words: str
) -> None:
    template = request.getfixturevalue(kind)
    answers = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    status, text = site.refusal("POST", f"{template['url']}launch/", {"extra_vars": answers})
    assert status == 400
    assert words in text


def launched(site: Site, template: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Canceled at once: only what it was launched with is of interest."""
    job = dict(site.user.call("POST", f"{template['url']}launch/", body))
    site.user.call("POST", f"{job['url']}cancel/")
    return job


def test_good_answers_are_taken(site: Site, asking: dict[str, Any]) -> None:
    more = {"choice": "true", "several": ["a", "b"], "share": 1}
    assert launched(site, asking, extra_vars={**GOOD, **more})["ignored_fields"] == {}


def test_a_job_template_ignores_what_it_does_not_ask_for(site: Site, asking: dict[str, Any]) -> None:
    job = launched(site, asking, extra_vars={**GOOD, "other": 1}, limit="here")
    assert job["ignored_fields"] == {"extra_vars": {"other": 1}, "limit": "here"}
    assert (job["limit"], "other" in job["extra_vars"]) == ("", False)
    open_one = site.template(ask_variables_on_launch=True, ask_limit_on_launch=True)
    job = launched(site, open_one, extra_vars={"other": 1}, limit="here")
    assert (job["ignored_fields"], job["limit"], job["extra_vars"]) == ({}, "here", '{"other": 1}')


def test_a_workflow_refuses_what_it_does_not_ask_for(site: Site, asking_workflow: dict[str, Any]) -> None:
    path = f"{asking_workflow['url']}launch/"
    for body, words in (
        ({"extra_vars": {**GOOD, "other": 1}}, "Variables other are not allowed on launch"),
        ({"extra_vars": GOOD, "limit": "here"}, "not configured to prompt on launch"),
    ):
        status, text = site.refusal("POST", path, body)
        assert (status, words in text) == (400, True)
    # Without a node it is over at once.
    assert site.user.launch(asking_workflow["name"], **GOOD).status == "successful"


def test_what_a_job_needs_must_be_there(site: Site) -> None:
    template = site.template(inventory=None, ask_inventory_on_launch=True)
    status, text = site.refusal("POST", f"{template['url']}launch/", {})
    assert (status, "inventory is missing or undefined" in text) == (400, True)
    assert launched(site, template, inventory=site.inventory)["inventory"] == site.inventory


BAD_TEMPLATES = {
    "no such file": ({"playbook": "nowhere.yml"}, "Playbook not found for project"),
    "tasks only": ({"playbook": "tasks/more.yml"}, "Playbook not found for project"),
    "no playbook in it": ({"playbook": "values.yml"}, "Playbook not found for project"),
    "none": ({"playbook": ""}, "Must select playbook"),
    "no inventory": ({"inventory": None}, "either set a default value or ask to prompt"),
    "no project": ({"project": None}, "project"),
    "another's inventory": ({"inventory": 9999}, "does not exist"),
    "branch": ({"scm_branch": "next"}, "does not allow overriding branch"),
    "variables": ({"extra_vars": "- a\n- b"}, "is not a dictionary"),
    "kind of job": ({"job_type": "scan"}, "is not a valid choice"),
    "verbosity": ({"verbosity": 9}, "is not a valid choice"),
}


@pytest.mark.parametrize(("change", "words"), BAD_TEMPLATES.values(), ids=BAD_TEMPLATES)
def test_job_templates_that_awx_refuses(site: Site, change: dict[str, Any], words: str) -> None:
    body = {"name": "refused", "project": site.project, "inventory": site.inventory, "playbook": "site.yml"}
    status, text = site.refusal("POST", "job_templates/", {**body, **change})
    assert status == 400
    assert words in text


def test_names_are_unique(site: Site) -> None:
    template = site.template(job_type="check", verbosity=2, extra_vars="a: 1")
    body = {"name": template["name"], "project": site.project, "inventory": site.inventory, "playbook": "site.yml"}
    status, text = site.refusal("POST", "job_templates/", body)
    assert (status, "combination already exists" in text) == (400, True)


def test_one_credential_of_each_type(site: Site) -> None:
    kinds = [site.made("credential_types", kind="cloud", inputs={}, injectors={})["id"] for _turn in (1, 2)]
    first, second, other = (
        site.made("credentials", organization=DEFAULT, credential_type=kind, inputs={})["id"]
        for kind in (kinds[0], kinds[0], kinds[1])
    )
    template = site.template(ask_credential_on_launch=True)
    path = f"{template['url']}credentials/"
    for number in (first, other):
        site.user.call("POST", path, {"id": number})
    status, text = site.refusal("POST", path, {"id": second})
    assert (status, "Cannot assign multiple" in text) == (400, True)
    # At the launch, one of the same type takes the place of the template's.
    assert launched(site, template, credentials=[second, other])["id"]
    for numbers, words in (([first, second, other], "Cannot assign multiple"), ([other], "without replacement")):
        status, text = site.refusal("POST", f"{template['url']}launch/", {"credentials": numbers})
        assert (status, words in text) == (400, True)
    registry = site.user.find("credential_types", "Container Registry")["id"]
    wrong = site.made("credentials", organization=DEFAULT, credential_type=registry, inputs={"host": "r.example"})
    status, text = site.refusal("POST", path, {"id": wrong["id"]})
    assert (status, "Cannot assign a Credential of kind" in text) == (400, True)


BAD_RULES = {
    "no start": ("RRULE:FREQ=DAILY;INTERVAL=1", "Valid DTSTART required"),
    "no zone": ("DTSTART:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1", "naive datetime"),
    "no interval": ("DTSTART:20260101T020000Z RRULE:FREQ=DAILY", "INTERVAL required"),
    "seconds": ("DTSTART:20260101T020000Z RRULE:FREQ=SECONDLY;INTERVAL=1", "SECONDLY is not supported"),
    "no rule": ("DTSTART:20260101T020000Z", "One or more rule required"),
    "two ends": (
        "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=2;UNTIL=20270101T000000Z",
        "both COUNT and UNTIL",
    ),
    "exceptions": (
        "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1 EXDATE:20260102T020000Z",
        "EXDATE not allowed",
    ),
    "unknown": ("DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1;WHEN=X", "validation"),
    "no such day": ("DTSTART:20261301T020000Z RRULE:FREQ=DAILY;INTERVAL=1", "validation"),
}
DAILY = "DTSTART;TZID=Europe/Zurich:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1"


@pytest.mark.parametrize(("rule", "words"), BAD_RULES.values(), ids=BAD_RULES)
def test_rules_that_awx_refuses(site: Site, asking: dict[str, Any], rule: str, words: str) -> None:
    body = {"name": "refused", "unified_job_template": asking["id"], "rrule": rule, "extra_data": GOOD}
    status, text = site.refusal("POST", "schedules/", body)
    assert status == 400
    assert words in text


def test_a_schedule_has_all_answers(site: Site, asking: dict[str, Any]) -> None:
    whole = {"unified_job_template": asking["id"], "rrule": DAILY}
    for data, words in (
        ({}, "'text' value missing"),
        ({**GOOD, "number": "3"}, "expected to be an integer"),
        ({**GOOD, "other": 1}, "not allowed on launch"),
    ):
        status, text = site.refusal("POST", "schedules/", {"name": "refused", **whole, "extra_data": data})
        assert (status, words in text) == (400, True)
    made = site.made("schedules", **whole, extra_data=GOOD)
    assert (made["timezone"], made["dtstart"]) == ("Europe/Zurich", "2026-01-01T01:00:00Z")
    status, text = site.refusal("POST", "schedules/", {"name": "x", **whole, "unified_job_template": site.project})
    assert (status, "Manual Project cannot have a schedule" in text) == (400, True)


BAD_PROJECTS = {
    "no such folder": ({"local_path": "nowhere"}, "already being used"),
    "taken": ({"local_path": "plays"}, "already being used"),
    "nothing to fetch": ({"scm_type": "git"}, "SCM URL is required"),
    "unknown": ({"scm_type": "git", "scm_url": "gopher://a.example/b"}, "Unsupported git URL"),
    "nothing to update": ({"scm_update_on_launch": True}, "must be set to false for manual projects"),
}


@pytest.mark.parametrize(("body", "words"), BAD_PROJECTS.values(), ids=BAD_PROJECTS)
def test_projects_that_awx_refuses(site: Site, body: dict[str, Any], words: str) -> None:
    status, text = site.refusal("POST", "projects/", {"name": "refused", "organization": DEFAULT, **body})
    assert status == 400
    assert words in text


def test_inventory_sources_come_of_projects_from_git(site: Site) -> None:
    body = {"name": "refused", "inventory": site.inventory, "source": "scm"}
    for change, words in (({}, "Project required"), ({"source_project": site.project}, "Cannot use manual project")):
        status, text = site.refusal("POST", "inventory_sources/", {**body, **change})
        assert (status, words in text) == (400, True)


def test_what_runs_is_not_deleted(site: Site) -> None:
    template = site.template(playbook="long.yml", extra_vars="seconds: 98705")
    job = site.user.start(template["name"])
    for url, status in ((template["url"], 409), (job.shown["url"], 403), (f"/api/v2/projects/{site.project}/", 409)):
        assert site.refusal("DELETE", url)[0] == status
    site.user.cancel(job)
    for url in (job.shown["url"], template["url"]):
        site.user.call("DELETE", url)
        assert site.refusal("GET", url)[0] == 404


@pytest.mark.parametrize(
    ("scheme", "word", "status"),
    [
        ("Bearer", "{token}", 200),
        ("Bearer", "{token}x", 401),
        ("Basic", USER + ":{password}", 200),
        ("Basic", USER + ":{password}x", 401),
        ("", "", 401),
    ],
)
def test_who_asks_must_be_somebody(site: Site, scheme: str, word: str, status: int) -> None:
    said = word.format(token=site.awx.token, password=site.awx.password)
    told = base64.b64encode(said.encode()).decode() if scheme == "Basic" else said
    headers = {"Authorization": f"{scheme} {told}"} if scheme else {}
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", f"{site.awx.url}/api/v2/organizations/", headers=headers, retries=False)
    assert answer.status == status


def test_lists_know_their_fields(site: Site) -> None:
    status, text = site.refusal("GET", "job_templates/?nonsense=1")
    assert (status, "has no field named 'nonsense'" in text) == (400, True)
    assert site.user.call("GET", "job_templates/?name__startswith=nobody")["count"] == 0
    assert site.refusal("GET", "job_templates/99999/")[0] == 404
    assert site.refusal("PUT", "jobs/")[0] == 405
