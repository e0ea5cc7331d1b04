# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Charts from repositories over HTTP, with and without log-in; afterwards the network is not needed."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NEW = {"slipway_addons__new": {"notifier": {"values": {"receiver": "night@example.com"}}}}


class Mirror(ThreadingHTTPServer):
    """A copy of the lab's repository that counts, and that can be switched off."""

    def __init__(self, origin: str) -> None:
        self.asked: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                with urllib.request.urlopen(f"{origin}{self.path}", timeout=10) as answer:  # noqa: S310
                    body = answer.read()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None:
                return

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def mirror(lab: dict[str, Any]) -> Iterator[Mirror]:
    server = Mirror(lab["repo_url"])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_both_repositories_served_their_chart(kubectl: Callable[..., Any]) -> None:
    for name in ("notifier", "portal"):
        deployment = kubectl("get", "deployment", name, "-n", f"repository-{name}")
        assert deployment["metadata"]["labels"]["helm.sh/chart"] == f"{name}-1.0.0"
        assert deployment["status"]["readyReplicas"] == deployment["spec"]["replicas"]


def test_wrong_credentials_are_a_coded_error_without_the_password(playbook: Any, tmp_path: Path) -> None:
    run = playbook(
        "plan",
        rc=2,
        env={"MOLECULE_REPOSITORY_PASSWORD": "a-wrong-password"},
        slipway_cache_dir=str(tmp_path / "empty"),
        slipway_addons__new={"portal": {"values": {"host": "x.example.com"}}},
    )
    assert "SLW-20" in run.out
    assert "401" in run.out
    assert "a-wrong-password" not in run.out


def test_unknown_chart_and_version_name_the_nearest(playbook: Any, lab: dict[str, Any]) -> None:
    new = {"portal": {"chart": {"repo": lab["repo_url"], "name": "portl"}}, "notifier": {"version": "9.9.9"}}
    run = playbook("plan", rc=2, slipway_addons__new=new)
    assert "portal" in run.out.split("portl", 1)[1]
    assert "9.9.9" in run.out
    assert run.out.count("SLW-202") >= 2


def test_fetched_once_and_never_again(
    playbook: Any, mirror: Mirror, kubectl: Callable[..., Any], tmp_path: Path
) -> None:
    moved = {
        "slipway_addons__mirror": {"notifier": {"chart": {"repo": mirror.url}}},
        "slipway_cache_dir": str(tmp_path / "cache"),
    }
    playbook("plan", slipway_only="notifier", **moved, **NEW)
    assert [path for path in mirror.asked if path.endswith(".tgz")] == ["/notifier-1.0.0.tgz"]
    asked = list(mirror.asked)
    mirror.shutdown()
    mirror.server_close()

    run = playbook("install", slipway_only="notifier", **moved, **NEW)
    assert run.actions == {"notifier": "upgrade"}
    again = playbook("install", slipway_only="notifier", **moved, **NEW)
    assert (again.report["result"], again.report["helm_processes"]) == ("unchanged", 0)
    assert mirror.asked == asked
    env = kubectl("get", "deployment", "notifier", "-n", "repository-notifier")["spec"]["template"]["spec"][
        "containers"
    ][0]["env"]
    assert {"name": "RECEIVER", "value": "night@example.com"} in env


def test_credentials_are_in_no_report(playbook: Any, lab: dict[str, Any], kubectl: Callable[..., Any]) -> None:
    password = lab["private_repo_password"]
    run = playbook("plan", "-vvv")
    assert password not in run.out
    assert password not in json.dumps(run.report)
    assert password not in json.dumps(kubectl("get", "configmaps", "-n", "repository-records"))
