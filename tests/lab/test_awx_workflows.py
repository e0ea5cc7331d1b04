# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Workflows of the lab's AWX go the way that their nodes' ends lead; schedules come due on order."""

from __future__ import annotations

from typing import Any

import pytest

from lab.awx.user import AwxError, Job
from tests.lab.awx_site import DEFAULT, Site, question
from tests.lab.conftest import within

pytestmark = pytest.mark.lab


def workflow(site: Site, nodes: dict[str, dict[str, Any]], after: list[tuple[str, str, str]], **fields: Any) -> str:
    """Its name. ``after``: a node, on which end (success, failure, always), the next node. A node without a template is
    an approval."""
    flow = site.made("workflow_job_templates", organization=DEFAULT, **fields)
    numbers = {}
    for name, node in nodes.items():
        url = f"{flow['url']}workflow_nodes/"
        made = site.user.call("POST", url, {"identifier": name, **node})
        numbers[name] = made["id"]
        if "unified_job_template" not in node:
            site.user.call("POST", f"{made['url']}create_approval_template/", {"name": name})
    for before, end, name in after:
        path = f"workflow_job_template_nodes/{numbers[before]}/{end}_nodes/"
        site.user.call("POST", path, {"id": numbers[name]})
    return str(flow["name"])


def ends(site: Site, job: Job) -> dict[str, str]:
    """How each node that was run has ended."""
    nodes = site.user.call("GET", f"{job.shown['url']}workflow_nodes/")["results"]
    return {node["identifier"]: node["summary_fields"]["job"]["status"] for node in nodes if node["job"]}


@pytest.fixture(scope="module")
def good(site: Site) -> int:
    return int(site.template(ask_variables_on_launch=True)["id"])


@pytest.fixture(scope="module")
def bad(site: Site) -> int:
    return int(site.template(extra_vars="broken: true")["id"])


def test_plan_approval_install(site: Site, good: int) -> None:
    asking = site.template([question("told_plan", "text"), question("told_who", "text")])["id"]
    stats = {"stats": {"told_plan": "seven changes", "told_who": "the plan"}}
    name = workflow(
        site,
        {
            "plan": {"unified_job_template": good, "extra_data": stats},
            "sure": {},
            "install": {"unified_job_template": asking},
        },
        [("plan", "success", "sure"), ("sure", "success", "install")],
        ask_variables_on_launch=True,
    )
    flow = site.user.start(name, told_who="the workflow")
    site.user.approve(flow)
    done = site.user.wait(flow)
    assert done.status == "successful", done.explanation
    assert ends(site, done) == dict.fromkeys(("plan", "sure", "install"), "successful")
    plan, approval, install = done.jobs
    assert install.artifacts["told_plan"][0] == "seven changes"
    # What the workflow itself was told wins over what its jobs have found out.
    assert install.artifacts["told_who"][0] == "the workflow"
    assert plan.shown["launch_type"] == "workflow"
    assert approval.shown["approved_or_denied_by"] == 1
    with pytest.raises(AwxError, match="already been approved or denied"):
        site.user.call("POST", f"{approval.shown['url']}approve/")


def test_who_is_denied_goes_the_way_of_failure(site: Site, good: int) -> None:
    name = workflow(
        site,
        {"sure": {}, "yes": {"unified_job_template": good}, "no": {"unified_job_template": good}},
        [("sure", "success", "yes"), ("sure", "failure", "no")],
    )
    flow = site.user.start(name)
    site.user.deny(flow)
    done = site.user.wait(flow)
    assert done.status == "successful"
    assert ends(site, done) == {"sure": "failed", "no": "successful"}


def test_ends_lead_to_what_comes_next(site: Site, good: int, bad: int) -> None:
    name = workflow(
        site,
        {
            "broken": {"unified_job_template": bad},
            "on success": {"unified_job_template": good},
            "after that": {"unified_job_template": good},
            "always": {"unified_job_template": good},
            "both": {"unified_job_template": good, "all_parents_must_converge": True},
        },
        [
            ("broken", "success", "on success"),
            ("on success", "always", "after that"),
            ("broken", "always", "always"),
            ("broken", "success", "both"),
            ("always", "success", "both"),
        ],
    )
    done = site.user.launch(name)
    assert done.status == "successful"
    assert ends(site, done) == {"broken": "failed", "always": "successful"}


def test_a_failure_that_leads_nowhere_is_the_workflows(site: Site, good: int, bad: int) -> None:
    nodes = {"broken": {"unified_job_template": bad}, "next": {"unified_job_template": good}}
    done = site.user.launch(workflow(site, nodes, [("broken", "success", "next")]))
    assert done.status == "failed"
    assert done.explanation.startswith("No error handling path for workflow job node(s) [(")


def test_an_approval_expires(site: Site) -> None:
    name = workflow(site, {"sure": {}}, [])
    approvals = site.user.call("GET", "workflow_approval_templates/?order_by=-id")["results"]
    site.user.call("PATCH", approvals[0]["url"], {"timeout": 1})
    done = site.user.launch(name)
    assert done.status == "failed"
    assert done.jobs[0].shown["timed_out"]
    assert "expired after 1 seconds" in done.jobs[0].explanation


def test_canceling_cancels_what_it_has_started(site: Site) -> None:
    template = site.template(playbook="long.yml", extra_vars="seconds: 98704")["id"]
    flow = site.user.start(workflow(site, {"long": {"unified_job_template": template}, "sure": {}}, []))
    within(60, lambda: [job.status for job in site.user.look(flow).jobs] == ["running", "pending"])
    done = site.user.cancel(flow)
    assert done.status == "canceled"
    assert [job.status for job in done.jobs] == ["canceled", "canceled"]


def test_a_schedule_comes_due(site: Site) -> None:
    template = site.template([question("told_plan", "text")], extra_vars="told_by: '{{ awx_schedule_name }}'")
    body = {
        "name": "nightly",
        "rrule": "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1",
        "extra_data": {"told_plan": "as written down"},
        "unified_job_template": template["id"],
    }
    schedule = site.user.call("POST", "schedules/", body)
    done = site.user.fire("nightly")
    assert (done.status, done.shown["launch_type"]) == ("successful", "scheduled")
    assert done.artifacts["told_plan"][0] == "as written down"
    assert done.artifacts["told_by"][0] == "nightly"
    site.user.call("PATCH", schedule["url"], {"enabled": False})
    with pytest.raises(AwxError, match="disabled"):
        site.user.fire("nightly")
