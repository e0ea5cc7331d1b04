# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the lab's AWX refuses in credential types and surveys, as AWX does, each beside what it takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.awx_site import DEFAULT, Site, question

pytestmark = pytest.mark.lab

FIELD = {"id": "token", "label": "Token"}
CONFIGURES = "may affect Ansible configuration"
RESERVED = "is not allowed to be used in credentials"


def credential_type(injectors: object = None, kind: str = "cloud", **more: Any) -> dict[str, Any]:
    inputs = {"fields": [{**FIELD, **more}]}
    return {"kind": kind, "inputs": inputs, "injectors": {} if injectors is None else injectors}


def env(name: str, value: str = "{{ token }}") -> dict[str, Any]:
    return credential_type({"env": {name: value}})


def extra(value: object) -> dict[str, Any]:
    return credential_type({"extra_vars": {"x": value}})


REFUSED = {
    "ansible": (env("ANSIBLE_FOO"), CONFIGURES),
    "host keys": (env("ANSIBLE_HOST_KEY_CHECKING"), CONFIGURES),
    **{
        name: (env(name), RESERVED)
        for name in (
            *("PATH", "PYTHONPATH", "VIRTUAL_ENV", "JOB_ID", "AWX_HOST", "INVENTORY_ID", "INVENTORY_SOURCE_ID"),
            *("INVENTORY_UPDATE_ID", "AD_HOC_COMMAND_ID", "REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES"),
            *("CALLBACK_QUEUE", "CALLBACK_CONNECTION", "CACHE", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS"),
            *("PROJECT_REVISION", "SUPERVISOR_CONFIG_PATH"),
        )
    },
    "number first": (env("1BAD"), "1BAD"),
    "hyphen": (env("A-B"), "A-B"),
    "not ASCII": (env("LAB", "ü"), "does not match"),
    "undefined": (env("LAB", "{{ nobody }}"), "uses an undefined field"),
    "a filter of Ansible's": (env("LAB", "{{ token | b64encode }}"), "No filter named"),
    "to_json": (env("LAB", "{{ token | to_json }}"), "No filter named"),
    "one file and several": (
        credential_type({"file": {"template": "a", "template.x": "b"}}),
        "Must use multi-file syntax",
    ),
    "several as one": (
        credential_type({"file": {"template.x": "a"}, "env": {"LAB": "{{ tower.filename }}"}}),
        "undefined",
    ),
    "boolean variable": (extra(True), "True is not valid"),
    "kind ssh": (credential_type(kind="ssh"), "Must be 'cloud' or 'net', not ssh"),
    "integer": (credential_type(type="integer"), "'integer' is not one of"),
    "format": (credential_type(format="email"), "'email' is not one of"),
    "tower": (credential_type(id="tower"), "reserved field name"),
    "space": (credential_type(id="a b"), "invalid variable name"),
    "asked": (credential_type(ask_at_runtime=True), "not supported for custom credentials"),
    "secret boolean": (credential_type(type="boolean", secret=True), "secret not allowed for boolean"),
    "no label": ({"kind": "cloud", "inputs": {"fields": [{"id": "a"}]}, "injectors": {}}, "'label' is a required"),
    "unknown injector": (credential_type({"files": {}}), "Additional properties"),
}
TAKEN = {
    "lower case": env("ansible_lower"),
    **{
        name: env(name)
        for name in (
            *("HOME", "TMPDIR", "LD_PRELOAD", "SSH_AUTH_SOCK", "KUBECONFIG", "SSL_CERT_FILE", "HTTPS_PROXY"),
            *("NO_PROXY", "VAULT_TOKEN", "K8S_AUTH_HOST", "TOWER_HOST", "AWX_FOO", "RUNNER_OMIT_EVENTS", "_A1"),
        )
    },
    "ASCII": env("LAB", "~"),
    "condition": env("LAB", "{% if token %}{{ token }}{% endif %}"),
    "plain filter": env("LAB", "{{ token | upper }}"),
    "one file": credential_type({"file": {"template": "a"}, "env": {"LAB": "{{ tower.filename }}"}}),
    "several files": credential_type({"file": {"template.x": "a"}, "env": {"LAB": "{{ tower.filename.x }}"}}),
    "text": extra("{{ token }}"),
    "map": extra({"a": {"b": "{{ token }}"}}),
    "list": extra(["{{ token }}", "b"]),
    "connection": credential_type({"extra_vars": {"ansible_user": "a", "ansible_ssh_private_key_file": "b"}}),
    "kind net": credential_type(kind="net"),
    "boolean": credential_type(type="boolean", default=True),
    "choices": credential_type(choices=["a", "b"]),
    "secret text": credential_type(secret=True, multiline=True, format="ssh_private_key"),
    "url": credential_type(format="url"),
}


@pytest.mark.parametrize(("body", "words"), REFUSED.values(), ids=REFUSED)
def test_credential_types_that_awx_refuses(site: Site, body: dict[str, Any], words: str) -> None:
    status, text = site.refusal("POST", "credential_types/", {"name": "refused", **body})
    assert status == 400
    assert words in text


@pytest.mark.parametrize("body", TAKEN.values(), ids=TAKEN)
def test_credential_types_that_awx_takes(site: Site, body: dict[str, Any]) -> None:
    assert site.made("credential_types", **body)["id"]


def test_a_credential_type_in_use_stays_as_it_is(site: Site) -> None:
    kind = site.made("credential_types", **env("LAB"))
    inputs = {"fields": [FIELD, {"id": "more", "label": "More"}]}
    site.user.call("PATCH", kind["url"], {"inputs": inputs})
    credential = site.made("credentials", organization=DEFAULT, credential_type=kind["id"], inputs={"token": "a"})
    for method, body in (("PATCH", {"inputs": {"fields": [FIELD]}}), ("DELETE", None)):
        status, text = site.refusal(method, kind["url"], body)
        assert status == 403
        assert "in use" in text
    site.user.call("PATCH", kind["url"], {"injectors": {}, "inputs": inputs})
    site.user.call("DELETE", credential["url"])
    site.user.call("DELETE", kind["url"])
    status, text = site.refusal("PATCH", site.user.find("credential_types", "Machine")["url"], {"description": "x"})
    assert (status, "managed" in text) == (403, True)


def test_credentials_are_held_against_their_type(site: Site) -> None:
    fields = [
        FIELD,
        {"id": "where", "label": "Where", "format": "url"},
        {"id": "which", "label": "W", "choices": ["a"]},
    ]
    kind = site.made("credential_types", kind="cloud", inputs={"fields": fields}, injectors={})
    whole = {"organization": DEFAULT, "credential_type": kind["id"]}
    for inputs, words in (
        ({"other": "x"}, "Additional properties"),
        ({"token": 1}, "is not of type 'string'"),
        ({"where": "nowhere"}, "Missing url scheme"),
        ({"which": "b"}, "is not one of ['a']"),
    ):
        status, text = site.refusal("POST", "credentials/", {"name": "refused", **whole, "inputs": inputs})
        assert (status, words in text) == (400, True), text
    assert site.made("credentials", **whole, inputs={"token": "x", "where": "https://a.example", "which": "a"})
    status, text = site.refusal("POST", "credentials/", {"name": "x", "credential_type": kind["id"], "inputs": {}})
    assert (status, "Missing 'user', 'team', or 'organization'" in text) == (400, True)


def survey(**more: Any) -> dict[str, Any]:
    return question("x", **{"kind": "text", **more})


BAD_SURVEYS = {
    "list as default": (survey(kind="multiselect", choices=["a"], default=["a"]), "expected to be string"),
    "text as integer": (survey(kind="integer", default="1"), "expected to be integer"),
    "unknown type": (survey(kind="boolean"), "allowed question types"),
    "no choices": (survey(kind="multiplechoice"), "must specify choices"),
    "other default": (survey(kind="multiplechoice", choices=["a"], default="b"), "from the choices listed"),
    "two defaults": (survey(kind="multiplechoice", choices=["a", "b"], default="a\nb"), "only have one default"),
    "limit": (survey(min="1"), "expected to be integer"),
    "required": ({**survey(), "required": "yes"}, "expected to be boolean"),
    "no variable": ({"question_name": "x", "type": "text", "required": True}, "'variable' missing"),
    "hidden": (survey(default="$encrypted$"), "reserved keyword"),
}
GOOD_SURVEYS = {
    "lines": survey(kind="multiselect", choices=["a", "b"], default="a\nb"),
    "choices as lines": survey(kind="multiplechoice", choices="a\nb", default="a"),
    "integer": survey(kind="integer", default=1, min=0, max=3),
    "float": survey(kind="float", default=1),
    "password": survey(kind="password"),
    "text": survey(min=1, max=3, default="abc"),
}


@pytest.fixture(scope="module")
def asking(site: Site) -> dict[str, Any]:
    return site.template()


@pytest.mark.parametrize(("spec", "words"), BAD_SURVEYS.values(), ids=BAD_SURVEYS)
def test_surveys_that_awx_refuses(site: Site, asking: dict[str, Any], spec: dict[str, Any], words: str) -> None:
    body = {"name": "", "description": "", "spec": [spec]}
    status, text = site.refusal("POST", f"{asking['url']}survey_spec/", body)
    assert status == 400
    assert words in text


@pytest.mark.parametrize("spec", GOOD_SURVEYS.values(), ids=GOOD_SURVEYS)
def test_surveys_that_awx_takes(site: Site, asking: dict[str, Any], spec: dict[str, Any]) -> None:
    site.ask(asking, [spec])


def test_two_questions_have_two_variables(site: Site, asking: dict[str, Any]) -> None:
    body = {"name": "", "description": "", "spec": [survey(), survey()]}
    status, text = site.refusal("POST", f"{asking['url']}survey_spec/", body)
    assert (status, "duplicated" in text) == (400, True)
    status, text = site.refusal("POST", f"{asking['url']}survey_spec/", {"name": "", "spec": []})
    assert (status, "'description' is missing" in text) == (400, True)
