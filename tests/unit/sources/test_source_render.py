# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Rendering charts with Helm 3 and Helm 4."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.hooks import hooks_for
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon, ChartSource
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources import process
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.context import RenderContext
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.helm import ServerAccess
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.render import identity, render

Make = Callable[..., Addon]


def names(objects: tuple[dict[str, Any], ...]) -> list[str]:
    return [f"{obj['kind']}/{obj['metadata']['name']}" for obj in objects]


def test_objects_crds_and_hooks_are_told_apart(context: RenderContext, addon: Make) -> None:
    rendered = render(addon("full"), context)
    assert names(rendered.crds) == [
        "CustomResourceDefinition/widgets.example.com",
        "CustomResourceDefinition/gadgets.example.com",
        "CustomResourceDefinition/subthings.example.com",
    ]
    assert names(rendered.objects) == [
        "ConfigMap/rel-left",
        "ConfigMap/rel-right",
        "ConfigMap/rel-sub",
        "ConfigMap/rel-config",
        "CustomResourceDefinition/tools.example.com",
        "Service/rel",
        "Widget/first",
    ]
    assert [hook.name for hook in rendered.hooks] == ["rel-a-prepare", "rel-test", "rel-b-prepare"]
    assert (rendered.version, rendered.app_version) == ("1.2.3", "1.1")
    config = rendered.objects[3]["data"]
    assert config["block"] == "first\n---\n# Source: not/a/template.yaml\nsecond\n"
    assert (config["equals"], config["number"]) == ("=", "8")
    assert (config["shared"], config["from-sub"]) == ("exported", "value")


def test_hooks_are_read_and_ordered_as_helm_does(context: RenderContext, addon: Make) -> None:
    hooks = render(addon("full"), context).hooks
    first, second = hooks_for(hooks, "pre-install")
    assert (first.name, first.weight, first.kind) == ("rel-b-prepare", -5, "Job")
    assert first.events == ("pre-install", "pre-upgrade")
    assert first.delete_policies == ("before-hook-creation", "hook-succeeded")
    assert first.output_log_policies == ("hook-failed",)
    assert first.path == "full/templates/hooks.yaml"
    assert first.manifest.startswith("apiVersion: batch/v1")
    assert (second.name, second.weight, second.delete_policies) == ("rel-a-prepare", 0, ("before-hook-creation",))
    assert [hook.name for hook in hooks_for(hooks, "test")] == ["rel-test"]
    assert [hook.name for hook in hooks_for(hooks, "pre-upgrade")] == ["rel-b-prepare"]


def test_manifest_is_the_text_that_helm_stores(context: RenderContext, addon: Make) -> None:
    """`helm install` writes objects only; `helm template` without CRDs and hooks prints the same."""
    one = addon("full")
    assert isinstance(one.source, ChartSource)
    helm = context.helm
    argv = [helm.binary, "template", "rel", one.source.path, "--namespace", "apps", "--no-hooks"]
    theirs = subprocess.run(argv, env=helm.environment({}), capture_output=True, text=True, check=True).stdout
    assert render(one, context).manifest == theirs
    assert "crds/crds.yaml" not in theirs
    assert "hooks.yaml" not in theirs


def test_templates_see_the_live_apis_and_the_operation(context: RenderContext, addon: Make) -> None:
    def data(**changes: Any) -> Any:
        rendered = render(addon("gated"), replace(context, **changes))
        assert rendered.gated
        return rendered.objects[0]["data"]

    assert data() == {"kube": "v1.35.4", "upgrade": "false", "monitor": "false"}
    apis = ("apps/v1", "monitoring.coreos.com/v1", "monitoring.coreos.com/v1/ServiceMonitor")
    assert data(api_versions=apis, is_upgrade=True) == {"kube": "v1.35.4", "upgrade": "true", "monitor": "true"}


def test_random_fields_are_named(context: RenderContext, addon: Make) -> None:
    rendered = render(addon("dice"), context)
    assert [(str(key), path) for key, path in rendered.random] == [("Secret dice", ("stringData", "password"))]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was started, with the real programs running."""
    seen: list[dict[str, Any]] = []
    real = process.run

    def note(argv: Any, env: Any, **other: Any) -> str:
        seen.append({"argv": list(argv), "env": dict(env)})
        return real(argv, env, **other)

    monkeypatch.setattr(process, "run", note)
    return seen


def test_one_process_a_chart_and_two_for_random_ones(
    context: RenderContext, addon: Make, commands: list[dict[str, Any]]
) -> None:
    for chart, processes in (("full", 1), ("gated", 1), ("dice", 2)):
        commands.clear()
        render(addon(chart), context)
        assert len(commands) == processes, chart
    commands.clear()
    render(addon("dice"), replace(context, find_random=False))
    assert len(commands) == 1


HOSTILE = [
    "plain",
    "1e3",
    "{{ x }}",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "\ufeff",
    "\U0001f680",
    "tab\tnew\nline",
    "\\",
    '"',
    "é",
]


def test_values_arrive_unchanged_and_on_no_command_line(
    context: RenderContext, addon: Make, commands: list[dict[str, Any]]
) -> None:
    values = {"hostile": HOSTILE, "large": 2**53 - 1, "float": 0.25, "none": {"kept": None}, "secret": "hunter2-secret"}
    rendered = render(addon("echo", values), context)
    seen = json.loads(base64.b64decode(rendered.objects[0]["data"]["values"]))["all"]
    assert seen["hostile"] == HOSTILE
    assert (seen["large"], seen["float"]) == (2**53 - 1, 0.25)
    assert "hunter2-secret" not in json.dumps(commands)
    left = [path for path in context.cache_dir.parent.rglob("*") if path.is_file()]
    assert not [path for path in left if b"hunter2-secret" in path.read_bytes()]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, "\ud800"])
def test_values_that_are_no_json_are_refused(context: RenderContext, addon: Make, value: Any) -> None:
    with pytest.raises(RenderError, match="SLW-2011"):
        render(addon("echo", {"a": value}), context)


def test_the_users_cluster_and_plugins_are_out_of_reach(
    context: RenderContext, addon: Make, commands: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "KUBECONFIG",
        "HELM_KUBETOKEN",
        "HELM_NAMESPACE",
        "HELM_PLUGINS",
        "KUBERNETES_SERVICE_HOST",
        "HELM_DEBUG",
    ):
        monkeypatch.setenv(name, "from-the-user")
    render(addon("seeing"), context)
    assert "from-the-user" not in commands[-1]["env"].values()


def test_lookup_without_a_server_is_said(context: RenderContext, addon: Make) -> None:
    rendered = render(addon("seeing"), context)
    assert (rendered.uses_lookup, rendered.blind) == (True, True)
    assert rendered.objects[0]["data"] == {"found": "no"}
    assert not render(addon("full"), context).uses_lookup


def test_helms_error_is_told_without_its_advice(context: RenderContext, addon: Make) -> None:
    with pytest.raises(RenderError, match="a name is needed") as caught:
        render(addon("broken"), context)
    assert caught.value.code == "SLW-2007"
    assert "broken/templates/all.yaml:4" in caught.value.message
    assert "--debug" not in caught.value.message
    assert not caught.value.message.startswith("Error")


def test_helm_that_is_not_there_is_said(offline: RenderContext, addon: Make) -> None:
    with pytest.raises(RenderError, match="SLW-2008"):
        render(addon("gated"), offline)


def test_helm_that_hangs_is_stopped(offline: RenderContext, addon: Make, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    with pytest.raises(RenderError, match="SLW-2009"):
        render(addon("gated"), replace(offline, helm=replace(offline.helm, binary=str(slow), timeout=0.3)))


def test_identity_starts_nothing_and_needs_no_network(offline: RenderContext, addon: Make) -> None:
    assert identity(addon("full"), offline) == identity(addon("full"), offline)
    assert identity(addon("full"), offline) != identity(addon("gated"), offline)
    pinned = ChartSource(repo="https://charts.example.com/", name="a", version="1.0.0")
    same = replace(pinned, repo="https://charts.example.com")
    assert identity(addon(pinned), offline) == identity(addon(same), offline)
    for change in ({"version": "1.0.1"}, {"name": "b"}, {"digest": "sha256:00"}, {"repo": "https://other.example.com"}):
        assert identity(addon(replace(pinned, **change)), offline) != identity(addon(pinned), offline)


def test_only_charts_that_look_get_the_cluster(
    context: RenderContext, addon: Make, commands: list[dict[str, Any]]
) -> None:
    render(addon("gated"), replace(context, server=ServerAccess(url="https://127.0.0.1:1", token="s3cr3t-token")))
    assert "--dry-run=server" not in commands[-1]["argv"]
    assert "s3cr3t-token" not in commands[-1]["env"].values()
