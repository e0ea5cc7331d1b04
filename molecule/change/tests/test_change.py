# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A changed value changes exactly what uses it, and the plan said so before, key by key, without a secret."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

NEW_DOMAIN = {"slipway_values__new": {"domain": "second.example.com"}}
OLD_TOKEN, NEW_TOKEN = "the-first-token", "another-token-of-ours"
KINDS = "deployments,statefulsets,configmaps,services,ingresses,secrets"


def versions(kubectl: Callable[..., Any]) -> dict[str, str]:
    """Resource versions of all that carries the scenario's mark, but for what pods and controllers write."""
    items = kubectl("get", KINDS, "-A", "-l", "slipway.cluster/name=change,!slipway.cluster/record")
    return {f"{i['kind']} {i['metadata']['namespace']}/{i['metadata']['name']}": spec_of(i) for i in items}


def spec_of(item: dict[str, Any]) -> str:
    return str(item["metadata"].get("generation") or item["metadata"]["resourceVersion"])


def test_plan_check_and_run_say_the_same_and_only_the_run_writes(
    playbook: Any, kubectl: Callable[..., Any], writes: Callable[[], list[str]]
) -> None:
    before = versions(kubectl)
    planned = playbook("plan", **NEW_DOMAIN)
    checked = playbook("install", "--check", **NEW_DOMAIN)
    assert writes() == []
    assert versions(kubectl) == before

    run = playbook("install", **NEW_DOMAIN)
    assert planned.actions == checked.actions == run.actions == {"portal": "upgrade", "notifier": "upgrade"}
    assert planned.report["addons"] == checked.report["addons"] == run.report["addons"]
    assert planned.plan == checked.plan == run.plan
    assert planned.report["result"] == checked.report["result"] == run.report["result"] == "changes"
    assert "changed=1" in planned.out
    assert "changed=1" in checked.out
    assert [e.addon for e in run.events if e.state == "ready"] == ["portal", "notifier"]

    assert "~ values host  portal.first.example.com -> portal.second.example.com" in run.plan
    assert "~ values receiver  ops@first.example.com -> ops@second.example.com" in run.plan
    assert "spec.rules" in run.plan

    after = versions(kubectl)
    changed = {name for name in before if after[name] != before[name]}
    said = {
        f"{o['kind']} {o['namespace']}/{o['name']}"
        for addon in planned.report["addons"]
        for o in addon["objects"]
        if o["op"] == "change"
    }
    assert changed == said
    assert {name.split()[1].split("/")[0] for name in changed} == {"change-portal", "change-notifier"}
    assert set(after) == set(before)
    ingress = kubectl("get", "ingress", "portal", "-n", "change-portal")
    assert ingress["spec"]["rules"][0]["host"] == "portal.second.example.com"
    deployment = kubectl("get", "deployment", "notifier", "-n", "change-notifier")
    env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "RECEIVER", "value": "ops@second.example.com"} in env

    again = playbook("install", **NEW_DOMAIN)
    assert (again.report["result"], again.actions) == ("unchanged", {})


def test_a_secret_is_changed_and_never_shown(playbook: Any, kubectl: Callable[..., Any]) -> None:
    env = {"MOLECULE_CHANGE_TOKEN": NEW_TOKEN}
    runs = [
        playbook("plan", "-vvv", "--diff", env=env, **NEW_DOMAIN),
        playbook("install", "--check", "--diff", env=env, **NEW_DOMAIN),
        playbook("install", "-vvv", env=env, **NEW_DOMAIN),
    ]
    for run in runs:
        assert run.actions == {"notifier": "upgrade"}
        assert "Secret change-notifier/notifier  data.token  changed" in run.plan
        for secret in (OLD_TOKEN, NEW_TOKEN):
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                assert form not in run.out
                assert form not in str(run.report)
    live = kubectl("get", "secret", "notifier", "-n", "change-notifier")
    assert base64.b64decode(live["data"]["token"]).decode() == NEW_TOKEN
    records = kubectl("get", "configmaps,secrets", "-n", "change-records")
    texts = [str(value) for item in records for value in (item.get("data") or {}).values()]
    secrets = [value for item in records if item["kind"] == "Secret" for value in item["data"].values()]
    texts += [base64.b64decode(value).decode("utf-8", "replace") for value in secrets]
    assert texts
    assert not any(form in text for text in texts for form in (OLD_TOKEN, NEW_TOKEN))


def test_diff_shows_every_field_and_verbose_what_stays(playbook: Any) -> None:
    env = {"MOLECULE_CHANGE_TOKEN": NEW_TOKEN}
    change = {"slipway_addons__colour": {"settings": {"values": {}}}, "slipway_values__more": {"retention": "9d"}}
    short = playbook("plan", env=env, **NEW_DOMAIN, **change)
    full = playbook("plan", "--diff", env=env, **NEW_DOMAIN, **change)
    assert short.actions == full.actions == {"logs": "upgrade", "settings": "upgrade"}
    assert "~ ConfigMap change-settings/settings  data.retention  7d -> 9d" in short.plan
    assert "= 2 unchanged (-v shows them)" in short.plan
    assert "= portal               unchanged" in full.plan
    assert set(short.plan.splitlines()[1:-1]) <= set(full.plan.splitlines())


def test_a_removed_object_is_in_the_plan_and_goes(playbook: Any, kubectl: Callable[..., Any]) -> None:
    env = {"MOLECULE_CHANGE_TOKEN": NEW_TOKEN}
    change = {"slipway_addons__off": {"portal": {"values": {"ingress": {"enabled": False}}}}}
    planned = playbook("plan", env=env, **NEW_DOMAIN, **change)
    assert "Ingress change-portal/portal" in next(x for x in planned.plan.splitlines() if x.startswith("  - "))
    run = playbook("install", env=env, **NEW_DOMAIN, **change)
    assert run.plan == planned.plan
    assert kubectl("get", "ingress", "portal", "-n", "change-portal") is None
