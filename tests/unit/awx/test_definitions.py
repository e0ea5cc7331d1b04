# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What AWX is given for settings, by what AWX was seen to refuse and to do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.defaults import DEFAULT_NAMESPACE

from ansible_collections.slipway.cluster.plugins.module_utils.awx import naming, project, unique
from ansible_collections.slipway.cluster.plugins.module_utils.awx.credentials import KINDS, injectors, inputs
from ansible_collections.slipway.cluster.plugins.module_utils.awx.definitions import Definitions, make
from ansible_collections.slipway.cluster.plugins.module_utils.awx.new_cluster import Stack
from ansible_collections.slipway.cluster.plugins.module_utils.awx.settings import Settings, Survey, operation, read
from ansible_collections.slipway.cluster.plugins.module_utils.awx.surveys import rrule, survey
from ansible_collections.slipway.cluster.plugins.module_utils.fleet import entries
from tests.unit.awx.test_settings import GOOD

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "roles/awx/files/operations").glob("*.yml"))
SURVEYS: list[Survey] = []
for _file in FILES:
    _survey, _problems = operation(_file.stem, yaml.safe_load(_file.read_text(encoding="utf-8")))
    assert _problems == []
    SURVEYS.append(_survey)
STACKS = [
    Stack(
        "one",
        "One host",
        {"slipway_stack_user": {"question": "User?"}, "slipway_stack_size": {"question": "Size?", "default": "1Gi"}},
    ),
    Stack("many", "Many", {"slipway_stack_user": {"question": "User?"}}),
]


def settings(**more: Any) -> Settings:
    found, problems = read({**GOOD, **more}, SURVEYS, lambda path: "")
    assert problems == []
    return found


def made(**more: Any) -> Definitions:
    return make(settings(**more), SURVEYS, STACKS)


def test_one_template_for_each_operation() -> None:
    names = [one["name"] for one in made()["job_templates"]]
    assert {f"Slipway prod: {one.title}" for one in SURVEYS} | {"Slipway fleet: status"} == set(names)
    assert [one["name"] for one in made(fleet=False)["job_templates"]] == names[:-1]


@pytest.mark.parametrize("one", SURVEYS, ids=lambda one: one.name)
def test_every_playbook_is_one_of_ours(one: Survey) -> None:
    assert (ROOT / "playbooks" / f"{one.playbook}.yml").exists()


@pytest.mark.parametrize("one", SURVEYS, ids=lambda one: one.name)
def test_every_variable_is_one_that_our_roles_read(one: Survey) -> None:
    text = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("roles", "playbooks")
        for file in (ROOT / folder).rglob("*.yml")
        if "files" not in file.parts
    )
    for question in one.questions:
        assert re.search(rf"\b{question['variable']}\b", text), question["variable"]


@pytest.mark.parametrize("one", SURVEYS, ids=lambda one: one.name)
def test_surveys_are_what_awx_takes(one: Survey) -> None:
    for question in survey(one)["spec"]:
        assert question.keys() >= {"question_name", "question_description", "required", "type", "variable", "default"}
        # Defaults of required questions are for the form alone, and passwords are readable in the job.
        assert not (question["required"] and question["default"])
        assert question["type"] != "password"
        if question["type"] == "multiplechoice":
            assert all(isinstance(choice, str) for choice in question["choices"])


def test_consents_are_never_given_by_default() -> None:
    asked = [
        question for one in SURVEYS for question in survey(one)["spec"] if "Consent" in question["question_description"]
    ]
    assert len(asked) > 8
    assert [question["variable"] for question in asked if question["default"]] == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_credential_types_are_what_awx_takes(kind: Any) -> None:
    found = injectors(kind)
    assert [name for name in found["env"] if name.startswith("ANSIBLE_") or not re.fullmatch("[A-Z_]+", name)] == []
    # One file without a name of its own; a field that was left empty is not there at all.
    assert list(found["file"]) == ["template"]
    ids = [field["id"] for field in inputs(kind)["fields"]]
    # One that was left empty would be Jinja's own thing of that name.
    assert DEFAULT_NAMESPACE.keys().isdisjoint(ids)
    for text in (*found["env"].values(), found["file"]["template"]):
        used = set(re.findall(r"(?:if|\{\{) ([a-z_]+)", text)) - {"tower"}
        assert used <= set(ids)
        assert "is defined" in text or "default" in text


def test_relative_paths_start_from_the_inventory_in_the_project() -> None:
    def folder(**cluster: Any) -> str:
        (found, *_rest) = made(clusters=[{"name": "prod", "inventory": "inventories/prod", **cluster}])["job_templates"]
        return str(found["extra_vars"]["slipway_files_dir"])

    assert folder() == "/runner/project/inventories/prod"
    assert folder(inventory="inventories/prod.example.com") == "/runner/project/inventories/prod.example.com"
    for file in ("hosts.yml", "prod.json", "prod.toml", "prod.py", "hosts", "inventory"):
        assert folder(inventory=f"clusters/prod/{file}") == "/runner/project/clusters/prod", file
    assert folder(inventory={"all": {"hosts": ["a"]}}) == "/runner/project"
    assert folder(inventory={"all": {"hosts": ["a"]}}, folder="files/prod") == "/runner/project/files/prod"
    assert folder(folder="files") == "/runner/project/files"
    assert folder(folder="files/hosts") == "/runner/project/files/hosts"


@pytest.mark.parametrize("start", [".", "inventories"])
def test_what_the_project_can_tell_is_not_guessed(tmp_path: Path, start: str) -> None:
    for path in ("slipway/new.yml", "inventories/prod", "inventories/hosts/all.yml", "inventories/edge/hosts"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    paths = ["inventories/prod", "inventories/hosts", "inventories/edge/hosts", "inventories/gone/hosts"]
    clusters = [{"name": f"c{number}", "inventory": path} for number, path in enumerate(paths)]
    found, _problems = read({**GOOD, "clusters": clusters}, SURVEYS, lambda path: "", tmp_path / start)
    assert found.project == tmp_path
    assert [naming.folder(found, one)["slipway_files_dir"] for one in clusters] == [
        "/runner/project/inventories",
        "/runner/project/inventories/hosts",
        "/runner/project/inventories/edge",
        "/runner/project/inventories/gone",
    ]


def test_no_definition_holds_an_input_of_a_credential() -> None:
    assert "secret_id" in repr(made()["credential_types"])
    found = made(new_cluster={"controller_credential": "AWX"})
    assert [one for one in found["credentials"] if "inputs" in one] == []
    (template,) = (one for one in found["job_templates"] if one["name"] == "Slipway: new cluster")
    assert "credentials" not in template["extra_vars"]["slipway_awx"]


def test_workflow_fails_with_any_of_its_jobs() -> None:
    """AWX takes a failure for handled where a node follows it always, or on failure."""
    (workflow,) = made()["workflows"]
    assert [node["identifier"] for node in workflow["workflow_nodes"]] == ["plan", "approve", "install", "status"]
    assert {path for node in workflow["workflow_nodes"] for path in node["related"]} == {"success_nodes"}


def test_schedules_answer_that_drift_is_a_failure() -> None:
    (nightly,) = made()["schedules"]
    assert nightly["extra_data"] == {"slipway_fail_on": ["drift"]}
    status = next(one for one in made()["job_templates"] if one["name"] == nightly["unified_job_template"])
    assert [question["variable"] for question in status["survey_spec"]["spec"]] == ["slipway_fail_on"]


def test_fleet_answers_that_a_cluster_nobody_reaches_is_a_failure_too() -> None:
    found = made(fleet={"schedule": {"at": "04:30"}})
    (nightly,) = (one for one in found["schedules"] if one["name"] == "Slipway fleet: status, every night")
    assert nightly["extra_data"] == {"slipway_fail_on": ["drift", "unreachable"]}
    (template,) = (one for one in found["job_templates"] if one["name"] == nightly["unified_job_template"])
    (question,) = template["survey_spec"]["spec"]
    assert set(nightly["extra_data"]["slipway_fail_on"]) <= set(question["choices"])


def test_fleet_looks_at_clusters_as_their_own_jobs_do(tmp_path: Path) -> None:
    variables = {"slipway_api_server": "https://far.example.com:6443"}
    clusters = [
        {"name": "prod", "inventory": "inventories/production", "variables": variables},
        {"name": "edge", "inventory": "inventories/edge/hosts", "folder": "files"},
        {"name": "lab", "inventory": "inventories/lab"},
        {"name": "held", "inventory": {"all": {"hosts": ["a"]}}, "credentials": ["of others"]},
    ]
    (template,) = (one for one in made(clusters=clusters)["job_templates"] if one["name"] == "Slipway fleet: status")
    wanted = template["extra_vars"]["slipway_fleet"]
    assert wanted == [
        {"inventory": "/runner/project/inventories/production", "name": "prod", "vars": variables},
        {
            "inventory": "/runner/project/inventories/edge/hosts",
            "name": "edge",
            "vars": {"slipway_files_dir": "/runner/project/files"},
        },
        {"inventory": "/runner/project/inventories/lab", "name": "lab"},
    ]
    for one in wanted:
        one["inventory"] = one["inventory"].replace("/runner/project", str(tmp_path))
        Path(one["inventory"]).mkdir(parents=True)
    taken, problems = entries.read(wanted, tmp_path)
    assert problems == []
    assert [(one.name, one.variables.get("slipway_api_server")) for one in taken] == [
        ("prod", "https://far.example.com:6443"),
        ("edge", None),
        ("lab", None),
    ]


def test_fleet_has_what_all_its_clusters_have() -> None:
    def credentials(held: list[str], **fleet: Any) -> object:
        clusters = [*GOOD["clusters"], {"name": "held", "inventory": {"all": {"hosts": ["a"]}}, "credentials": held}]
        found = made(clusters=clusters, fleet=fleet)["job_templates"]
        return next(one["credentials"] for one in found if one["name"] == "Slipway fleet: status")

    # One that AWX holds is none that the fleet looks at.
    assert credentials(["others"]) == ["bao", "of others"]
    assert credentials(["others"], credentials=["pod"]) == ["pod"]
    assert credentials(["others"], credentials=[]) == []


def test_access_is_for_whoever_may_administer_the_authority() -> None:
    cluster = {"name": "prod", "inventory": "inventories/prod", "credentials": ["bao"], "access_credentials": ["admin"]}
    found = {one["name"]: one["credentials"] for one in made(clusters=[cluster])["job_templates"]}
    assert found.pop("Slipway prod: access") == ["admin"]
    assert {tuple(names) for names in found.values()} == {("bao",)}


def test_nights_differ_between_clusters_and_not_between_runs() -> None:
    rules = {rrule({}, f"cluster-{number}") for number in range(50)}
    assert len(rules) > 30
    assert rrule({}, "a") == rrule({}, "a")
    assert all(re.fullmatch(r"DTSTART:\d{8}T0[1-4][0-5]\d00Z RRULE:FREQ=DAILY;INTERVAL=1", rule) for rule in rules)
    assert rrule({"at": "23:15", "timezone": "Europe/Berlin"}, "a").startswith(
        "DTSTART;TZID=Europe/Berlin:20240101T231500 "
    )
    assert rrule({"rrule": "DTSTART:20240101T000000Z RRULE:FREQ=WEEKLY;INTERVAL=1"}, "a").endswith("WEEKLY;INTERVAL=1")


def test_inventory_that_awx_holds() -> None:
    held = {
        "all": {"children": ["k8s_cluster"], "vars": {"slipway_name": "prod"}},
        "k8s_cluster": {"children": ["kube_node", "kube_control_plane"], "vars": {"a": 1}},
        "kube_node": {"hosts": ["n2"]},
        "kube_control_plane": {"hosts": ["n1"]},
        "_meta": {"hostvars": {"n1": {"ip": "192.0.2.1"}}},
    }
    found = made(clusters=[{"name": "prod", "inventory": held}])
    assert found["inventory_sources"] == []
    assert found["inventories"][0]["variables"] == {"slipway_name": "prod"}
    assert {one["name"]: one["variables"] for one in found["hosts"] if one["inventory"] == "Slipway prod"} == {
        "n1": {"ip": "192.0.2.1"},
        "n2": {},
    }
    # A parent can only name children that are there.
    assert [one["name"] for one in found["groups"]] == ["kube_node", "kube_control_plane", "k8s_cluster"]


def test_questions_of_all_stacks_are_asked_once_and_none_has_to_be_answered() -> None:
    found = made(new_cluster={"controller_credential": "AWX"})
    (template,) = (one for one in found["job_templates"] if one["name"] == "Slipway: new cluster")
    asked = {one["variable"]: one for one in template["survey_spec"]["spec"]}
    assert list(asked) == ["slipway_stack", "slipway_name", "slipway_hosts", "slipway_stack_user", "slipway_stack_size"]
    assert [name for name, one in asked.items() if one["required"]] == [
        "slipway_stack",
        "slipway_name",
        "slipway_hosts",
    ]
    assert asked["slipway_stack_size"]["question_description"] == "For one. "
    assert asked["slipway_stack_size"]["default"] == "1Gi"
    assert template["extra_vars"]["slipway_destination"] == ""
    assert "slipway_stacks" not in template["extra_vars"]


def asked_of(*stacks: Stack) -> dict[str, dict[str, Any]]:
    found = make(settings(new_cluster={"controller_credential": "AWX"}), SURVEYS, stacks)
    (template,) = (one for one in found["job_templates"] if one["name"] == "Slipway: new cluster")
    return {one["variable"]: one for one in template["survey_spec"]["spec"]}


def test_a_question_of_two_stacks_offers_the_choices_of_both() -> None:
    def stack(name: str, *choices: str) -> Stack:
        question = {"question": "Which?", "choices": choices, "default": "calico"}
        return Stack(name, name, {"slipway_stack_plugin": question})

    one, two, free = stack("one", "calico", "cilium"), stack("two", "calico", "kube-router"), stack("free")
    asked = asked_of(one, two)["slipway_stack_plugin"]
    assert (asked["type"], asked["choices"]) == ("multiplechoice", ["calico", "cilium", "kube-router"])
    assert asked["default"] == "calico"
    assert asked["question_description"] == "one: calico, cilium; two: calico, kube-router. "
    asked = asked_of(one, stack("two", "calico", "cilium"))["slipway_stack_plugin"]
    assert (asked["choices"], asked["question_description"]) == (["calico", "cilium"], "")
    for stacks in ((one, free), (free, one)):
        asked = asked_of(*stacks)["slipway_stack_plugin"]
        assert (asked["type"], asked["choices"]) == ("text", [])
        assert "one: calico, cilium" in asked["question_description"]
        assert "free: any" in asked["question_description"]


def test_the_job_finds_stacks_of_ones_own_where_the_survey_offers_them(tmp_path: Path) -> None:
    (tmp_path / "slipway").mkdir()
    (tmp_path / "slipway" / "new.yml").touch()
    given = {**GOOD, "new_cluster": {"controller_credential": "AWX"}}
    found, _problems = read(given, SURVEYS, lambda path: "", tmp_path / "inventories")
    start, written = tmp_path / "inventories", ["../stacks", str(tmp_path / "more/stacks")]
    stacks, problems = project.paths(found.project, start, written, GOOD["project"], "")
    assert (stacks, problems) == (["/runner/project/stacks", "/runner/project/more/stacks"], [])
    templates = make(replace(found, stacks=stacks), SURVEYS, STACKS)["job_templates"]
    assert next(one for one in templates if "new cluster" in one["name"])["extra_vars"]["slipway_stacks"] == stacks


def test_stacks_that_no_job_would_have_are_refused(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    found, problems = project.paths(tmp_path / "project", tmp_path / "project", ["../x", "stacks"], {}, "awx.yml:3")
    assert found == ["/runner/project/stacks"]
    assert [str(one).partition(f" {tmp_path}")[0] for one in problems] == [
        "awx.yml:3: SLW-9001 slipway_stacks: ../x lies outside of the project"
    ]
    (problem,) = project.paths(None, tmp_path, ["stacks"], {"playbooks": "awx"}, "")[1]
    assert "which has awx/new.yml" in problem.remedy
    assert project.paths(None, tmp_path, [], {}, "") == ([], [])


def clashes(*names: str, **more: Any) -> list[str]:
    clusters = [{"name": name, "inventory": {"all": {"hosts": ["a"]}}} for name in names]
    return [str(one) for one in unique.check(settings(clusters=clusters, **more), SURVEYS, lambda path: "")]


def test_names_that_two_things_would_have() -> None:
    assert clashes("prod", "edge") == []
    (problem,) = clashes("prod", "controller")
    assert problem.startswith(
        "SLW-9002 slipway_awx.clusters[1]: controller would have the inventory 'Slipway controller', which is that of "
    )
    # As the settings of a job that makes a new cluster, which does not know whether there is a fleet.
    (problem,) = clashes("fleet", fleet=False)
    assert "would have the job template 'Slipway fleet: status', which is that of the fleet" in problem
    assert clashes("fleet", "controller", names={"template": "{cluster}/{operation}", "inventory": "{cluster}"}) == []


def test_clusters_do_not_have_names_of_each_other() -> None:
    operations = [Survey(title, title, title, "") for title in ("plan", "big-plan")]
    clusters = [{"name": name, "inventory": {"all": {"hosts": ["a"]}}} for name in ("prod-big", "prod")]
    given = settings(clusters=clusters, names={"template": "{cluster}-{operation}"})
    (problem,) = unique.check(given, operations, lambda path: "/".join(map(str, path)))
    assert "prod would have the job template 'prod-big-plan', which is that of prod-big" in problem.message
    assert problem.where == "clusters/1/name"


def test_what_a_project_no_longer_has_is_emptied() -> None:
    (found,) = made(project={"scm_url": "https://git.example.com/clusters.git"})["projects"]
    assert (found["scm_branch"], found["scm_update_on_launch"]) == ("", True)
    # AWX refuses a manual project that is to be updated.
    (found,) = made(project={"local_path": "x"}, clusters=[{"name": "prod", "inventory": {}}])["projects"]
    assert (found["scm_url"], found["scm_branch"], found["scm_update_on_launch"]) == ("", "", False)
