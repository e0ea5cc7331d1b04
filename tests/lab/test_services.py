# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's own servers: fault proxy, webhook, chart repository."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
import yaml

from lab import packages
from lab.repo import handler
from lab.serve import Server
from tests.lab.conftest import within

if TYPE_CHECKING:
    from tests.lab.conftest import Client, Lab

pytestmark = pytest.mark.lab


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": "value"}}


def test_proxy_answers_429_and_then_passes(proxy: Client, control: Client) -> None:
    control.call("POST", "/rules", {"path": "/nodes$", "status": 429, "retry_after": 1, "times": 2})
    answers = [proxy.call("GET", "/api/v1/nodes") for _ in range(3)]
    assert [status for status, _content in answers] == [429, 429, 200]
    assert answers[0][1]["reason"] == "TooManyRequests"
    assert len(answers[2][1]["items"]) == 3
    assert control.call("GET", "/rules")[1][0]["fired"] == 2


def test_proxy_says_when_to_come_again(proxy: Client, control: Client) -> None:
    control.call("POST", "/rules", {"status": 429, "retry_after": 7, "times": 1})
    answer = proxy.pool.request("GET", proxy.base + "/version", headers=proxy.headers, retries=False)
    assert answer.headers["Retry-After"] == "7"


def test_proxy_resets_before_and_after_the_server_did_it(proxy: Client, control: Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    control.call("POST", "/rules", {"method": "POST", "path": "/configmaps", "reset": "before", "nth": 1})
    control.call("POST", "/rules", {"method": "POST", "path": "/configmaps", "reset": "after", "nth": 1})
    for name in ("never", "silent"):
        with pytest.raises(urllib3.exceptions.ProtocolError, match="Connection aborted"):
            proxy.call("POST", path, config_map(name))
    assert proxy.call("GET", f"{path}/never")[0] == 404
    assert proxy.call("GET", f"{path}/silent")[0] == 200


@pytest.mark.parametrize("side", ["before", "after"])
def test_proxy_holds_the_nth_write_until_released(proxy: Client, control: Client, namespace: str, side: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    control.call("POST", "/rules", {"method": "POST", "path": "/configmaps", "nth": 2, "hold": side})
    assert proxy.call("POST", path, config_map("first"))[0] == 201
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(proxy.call, "POST", path, config_map("second"))
        held = control.call("GET", "/held?wait=5")[1]
        assert [(call["path"], call["side"]) for call in held] == [(path, side)]
        assert proxy.call("GET", f"{path}/second")[0] == (404 if side == "before" else 200)
        assert not second.done()
        control.call("POST", "/release", {"id": held[0]["id"]})
        assert second.result(5)[0] == 201


def test_proxy_drops_a_held_call(proxy: Client, control: Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    control.call("POST", "/rules", {"method": "POST", "path": "/configmaps", "hold": "before"})
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(proxy.call, "POST", path, config_map("dropped"))
        control.call("GET", "/held?wait=5")
        control.call("POST", "/release", {"drop": True})
        with pytest.raises(urllib3.exceptions.ProtocolError):
            call.result(5)
    assert proxy.call("GET", f"{path}/dropped")[0] == 404


def test_proxy_delays(proxy: Client, control: Client) -> None:
    control.call("POST", "/rules", {"path": "/version", "delay": 0.7})
    began = time.monotonic()
    assert proxy.call("GET", "/version")[0] == 200
    assert time.monotonic() - began >= 0.7


def test_proxy_counts_calls_and_lists_writes(proxy: Client, control: Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for _ in range(3):
        proxy.call("GET", "/version")
    proxy.call("POST", f"{path}?dryRun=All", config_map("tried"))
    proxy.call("POST", path, config_map("made"))
    seen = control.call("GET", "/requests")[1]
    assert {"method": "GET", "path": "/version", "count": 3} in seen["counts"]
    assert [(write["path"], write["dry_run"], write["status"]) for write in seen["writes"]] == [
        (path, True, 201),
        (path, False, 201),
    ]
    assert seen["writes"][0]["user_agent"] == "a-test"
    control.call("DELETE", "/requests")
    assert control.call("GET", "/requests")[1]["total"] == 0


def test_proxy_streams_a_watch(proxy: Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    url = f"{proxy.base}{path}?watch=1&allowWatchBookmarks=false"
    stream = proxy.pool.request("GET", url, headers=proxy.headers, preload_content=False, timeout=10)
    assert proxy.call("POST", path, config_map("seen"))[0] == 201
    names = []
    for line in stream:
        names.append(json.loads(line)["object"]["metadata"]["name"])
        if "seen" in names:
            break
    stream.close()


def test_proxy_lives_through_a_restart_of_the_api_server(lab: Lab, proxy: Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    assert proxy.call("GET", path)[0] == 200
    lab.command("restart-apiserver", "--kill")
    assert proxy.call("POST", path, config_map("after"))[0] == 201


def test_proxy_wants_a_token(proxy: Client) -> None:
    answer = proxy.pool.request("GET", proxy.base + "/api/v1/nodes", retries=False)
    assert answer.status in (401, 403)


def hook(lab: Lab, namespace: str, kind: str) -> dict[str, Any]:
    env = lab.env
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    ca = base64.b64encode(Path(env["webhook_ca"]).read_bytes()).decode()
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": f"{namespace}-{kind.lower()}"},
        "webhooks": [
            {
                "name": "test.lab.slipway",
                "clientConfig": {"url": f"{env['webhook_url']}/{kind.lower()}", "caBundle": ca},
                "rules": [rule],
                "namespaceSelector": selector,
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": 2,
            }
        ],
    }


@pytest.mark.parametrize(
    ("kind", "order", "status", "message"),
    [
        ("Validating", {"mode": "allow"}, 201, None),
        ("Validating", {"mode": "deny", "message": "not today"}, 403, "not today"),
        ("Validating", {"mode": "slow", "seconds": 4}, 500, "deadline exceeded"),
        ("Validating", {"mode": "down"}, 500, "failed calling webhook"),
        ("Mutating", {"mode": "mutate", "annotations": {"a/b": "c"}}, 201, None),
    ],
)
def test_webhook_answers_as_ordered(
    lab: Lab,
    proxy: Client,
    namespace: str,
    webhook_control: Client,
    kind: str,
    order: dict[str, Any],
    status: int,
    message: str | None,
) -> None:
    resource = f"/apis/admissionregistration.k8s.io/v1/{kind.lower()}webhookconfigurations"
    content = hook(lab, namespace, kind)
    assert proxy.call("POST", resource, content)[0] == 201
    path = f"/api/v1/namespaces/{namespace}/configmaps"

    def calls() -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = webhook_control.call("GET", "/calls")[1]["calls"]
        return seen

    def called() -> bool:
        proxy.call("POST", path + "?dryRun=All", config_map("probe"))
        return bool(calls())

    # The API server takes a second to notice a new configuration.
    within(10, called)
    webhook_control.call("DELETE", "/calls")
    webhook_control.call("PUT", "/mode", order)
    code, answer = proxy.call("POST", path, config_map("asked"))
    proxy.call("DELETE", f"{resource}/{content['metadata']['name']}")
    assert code == status
    assert message is None or message in answer["message"]
    call = next(call for call in calls() if call["name"] == "asked")
    assert (call["operation"], call["kind"], call["namespace"]) == ("CREATE", "ConfigMap", namespace)
    assert call["dry_run"] is False
    if order["mode"] == "mutate":
        assert answer["metadata"]["annotations"] == {"a/b": "c"}


def test_repository_serves_what_helm_wants(lab: Lab, tmp_path: Path) -> None:
    chart = tmp_path / "charts" / "web"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "web", "version": "1.0.0"}))
    (chart / "templates" / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-the-chart}\n")
    packages.publish(tmp_path / "repo", tmp_path / "charts")
    server = Server(0, handler(tmp_path / "repo", "user:word"))
    threading.Thread(target=server.serve_forever).start()
    base = f"http://127.0.0.1:{server.server_port}"
    login = ["--username", "user", "--password", "word"]
    cases: list[tuple[str, list[str], bool]] = [("", [], True), ("/private", login, True), ("/private", [], False)]
    try:
        for version in ("helm3", "helm4"):
            helm = lab.env["bin"][version]
            home = {"HOME": str(tmp_path / version)}
            for path, options, works in cases:
                command = [helm, "template", "it", "web", "--repo", base + path, *options]
                done = subprocess.run(command, env=home, capture_output=True, text=True, check=False)
                assert (done.returncode == 0) is works, done.stderr
                assert ("from-the-chart" in done.stdout) is works
                assert works or "401" in done.stderr
    finally:
        server.shutdown()
        server.server_close()


def test_lab_serves_its_sample_charts(lab: Lab) -> None:
    env = lab.env
    with urllib3.PoolManager() as pool:
        index = yaml.safe_load(pool.request("GET", env["repo_url"] + "/index.yaml").data)
        for versions in index["entries"].values():
            assert pool.request("GET", f"{env['repo_url']}/{versions[0]['urls'][0]}").status == 200
        assert pool.request("GET", env["private_repo_url"] + "/index.yaml").status == 401
        assert pool.request("GET", env["repo_url"] + "/../token").status == 404
