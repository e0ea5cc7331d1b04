# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The status of a fleet: two API servers, one that is gone, one that never answers, and an inventory that is torn."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.contract.fixtures import objects as o
from tests.contract.runner import Playbook
from tests.contract.support import ROOT, Cluster, eventually
from tests.contract.test_runner import on_terminal

pytestmark = pytest.mark.lab

SETTINGS = {"settings": {"objects": [o.config_map("settings", colour="green")]}}
OLD, NEW = "1.0.0", "1.1.0"
PASSPHRASE = "correct horse"


@pytest.fixture(scope="module")
def other_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """An API server of its own."""
    name = f"fleet-{os.getpid()}"

    def lab(*words: str) -> str:
        command = [sys.executable, "-m", "lab", *words, "--name", name]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    lab("up")
    try:
        yield json.loads(lab("env"))
    finally:
        lab("down")


@pytest.fixture(scope="module")
def mute() -> Iterator[str]:
    """Takes connections, and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        taken: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for one in taken:
            one.close()


@pytest.fixture(scope="module")
def gone() -> str:
    """An address where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return f"https://127.0.0.1:{server.getsockname()[1]}"


def inventory(folder: Path, cluster: Cluster, addons: dict[str, Any], **extra: Any) -> Playbook:
    return Playbook(cluster, folder, addons, extra=extra)


@dataclass
class Seen:
    """What a run of the whole fleet left."""

    status: int
    out: str
    report: dict[str, Any]
    page: str
    junit: ET.Element

    def cluster(self, name: str) -> dict[str, Any]:
        return next(one for one in self.report["clusters"] if one["name"] == name)


@dataclass
class Project:
    """A folder with inventories, as AWX has one checked out."""

    folder: Path
    env: dict[str, str]
    prod: Cluster

    def command(self, *more: str) -> list[str]:
        return [str(Path(sys.executable).parent / "ansible-playbook"), "slipway.cluster.status", *more]

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*more)
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project(
    shared: Cluster, other_lab: dict[str, Any], gone: str, mute: str, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    root = tmp_path_factory.mktemp("fleet")
    inventories, catalog = root / "inventories", root / "catalog"
    catalog.mkdir()
    chart = {"repo": shared.env["repo_url"], "name": "portal", "version": NEW}
    (catalog / "portal.yml").write_text(yaml.safe_dump({"chart": chart}), encoding="utf-8")

    namespace = shared.ns("prod")
    o.make_namespaces(shared, namespace)
    prod = {"settings": {**SETTINGS["settings"], "namespace": namespace}}
    shared.ok({**prod, "portal": {"namespace": namespace, "timeout": 30, "chart": {**chart, "version": OLD}}})
    one = inventory(
        inventories / "prod",
        shared,
        {**prod, "portal": {"use": "portal", "namespace": namespace, "timeout": 30, "version": OLD}},
        slipway_catalogs=[str(catalog)],
    )

    edge = Cluster(other_lab, shared.cache)
    o.make_namespaces(edge, edge.ns("main"))
    there = {"settings": {**SETTINGS["settings"], "namespace": edge.ns("main")}}
    edge.ok(there)
    edge.patch(o.core("configmaps", edge.ns("main"), "settings"), {"data": {"colour": "red"}})
    direct = {"slipway_kubeconfig": other_lab["kubeconfig"], "slipway_api_server": "", "slipway_api_token": ""}
    inventory(inventories / "edge", edge, there, **direct)

    # Its session begins with a secret that is in the environment and nowhere else.
    key = root / "ca"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-f", str(key)], check=True)
    ssh = {"provider": "local", "local": {"key_file": str(key)}}
    inventory(inventories / "stage", Cluster(shared.env, shared.cache), SETTINGS, slipway_ssh=ssh)

    inventory(inventories / "lost", Cluster(shared.env, shared.cache), {}, slipway_api_server=gone)
    inventory(inventories / "mute", Cluster(shared.env, shared.cache), {}, slipway_api_server=mute)
    (inventories / "torn").mkdir()
    (inventories / "torn" / "hosts.yml").write_text("all: {hosts: [\n", encoding="utf-8")
    env = one.environment(SLIPWAY_CA_PASSPHRASE=PASSPHRASE, TERM="xterm", ANSIBLE_HOME=str(root / "ansible"))
    return Project(root, env, shared)


NOISE = """\
import os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_NAME, CALLBACK_NEEDS_ENABLED = "noise", False

    def v2_playbook_on_start(self, playbook):
        with open(os.environ["NOISE"], "a") as file:
            file.write("here\\n")
"""
"""As ansible-runner's own: what it draws is not for those who read the output of a look."""

FLEET = [
    *("inventories/prod", "inventories/edge", "inventories/stage", "inventories/lost", "inventories/torn"),
    # Its own client would wait for at least twice as long.
    {"inventory": "inventories/mute", "timeout": 5},
]


@pytest.fixture(scope="module")
def seen(project: Project) -> Seen:
    """As in a job of AWX: a terminal of 80 columns at which nobody sits, and a callback that draws on it."""
    variables = {
        "slipway_fleet": FLEET,
        "slipway_report_file": "out/fleet.json",
        "slipway_page_file": "out/fleet.html",
        "slipway_junit_file": "out/fleet.xml",
        "slipway_fail_on": ["drift", "unreachable"],
    }
    (project.folder / "extra.json").write_text(json.dumps(variables), encoding="utf-8")
    callbacks = project.folder / "callbacks"
    callbacks.mkdir()
    (callbacks / "noise.py").write_text(NOISE, encoding="utf-8")
    env = project.env | {
        "AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1",
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        "ANSIBLE_CALLBACK_PLUGINS": str(callbacks),
        "NOISE": str(project.folder / "noise"),
    }
    # An inventory of the run's own, with a session, changes nothing.
    command = project.command("-i", "inventories/stage", "-e", "@extra.json")
    status, out = on_terminal(command, project.folder, env)
    folder = project.folder / "out"
    return Seen(
        status,
        out.replace("\r\n", "\n"),
        json.loads((folder / "fleet.json").read_text(encoding="utf-8")),
        (folder / "fleet.html").read_text(encoding="utf-8"),
        ET.fromstring((folder / "fleet.xml").read_text(encoding="utf-8")),  # noqa: S314 - our own
    )


def test_clusters_that_answer_are_told_whatever_the_others_do(seen: Seen) -> None:
    prod, edge, stage = (seen.cluster(name) for name in ("prod", "edge", "stage"))
    assert [one["failure"] for one in (prod, edge, stage)] == [None] * 3, seen.out
    assert (prod["result"], prod["conditions"]) == ("unchanged", [])
    assert prod["behind"] == [{"addon": "portal", "version": OLD, "offered": NEW}]
    assert prod["addons"] == {"healthy": 2, "total": 2}
    assert (edge["result"], edge["conditions"]) == ("drift", ["drift"])
    assert re.fullmatch(r"settings: ConfigMap \S+/settings data\.colour, by kubectl-edit", edge["drift"][0])
    assert (stage["result"], stage["changes"], stage["addons"]) == ("changes", 1, {"healthy": 0, "total": 1})
    assert prod["uid"] == stage["uid"] != edge["uid"]
    for one in (prod, edge, stage):
        assert re.fullmatch(r"1\.\d+\.\d+", one["kubernetes"])
        assert one["nodes"]["ready"] == one["nodes"]["total"] >= 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["looked"])


def test_certificates_are_told_with_what_ends_first(seen: Seen) -> None:
    for name in ("prod", "edge"):
        lives = [life for life in seen.cluster(name)["lives"] if life["ends"]]
        assert [life["left"] for life in lives] == sorted(life["left"] for life in lives)
        assert {"API server", "cluster CA"} <= {life["name"] for life in lives}
        assert all(life["left"] > 0 for life in lives if life["kind"] == "certificate")


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("lost", "SLW-6102", "Connection refused"),
        ("torn", "SLW-8802", "inventories/torn: No inventory was parsed"),
        ("mute", "SLW-8803", "it was not done within 5 s"),
    ],
)
def test_a_cluster_that_cannot_be_looked_at_has_one_reason(seen: Seen, name: str, code: str, words: str) -> None:
    one = seen.cluster(name)
    assert (one["answered"], one["result"], one["conditions"]) == (False, "error", ["unreachable"])
    assert one["failure"]["code"] == code
    assert words in one["failure"]["message"]
    assert re.search(rf"^\? {name}  error +{code} ", seen.out, re.MULTILINE)


def test_lines_fit_a_job_of_awx(seen: Seen) -> None:
    # After it Ansible writes its statistics, with a tab.
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f]", seen.out[: seen.out.index("CUSTOM STATS")]) == []
    table = seen.out[seen.out.index("FLEET  ") : seen.out.index("\nok: [localhost]", seen.out.index("FLEET  "))]
    assert table.startswith("FLEET  6 clusters: 3 answered, 3 did not  result: error\n")
    # A path has no place to be broken at.
    assert [line for line in table.splitlines() if len(line) > 80 and "/" not in line] == []
    assert re.search(r"^= prod .* 2/2 +- +1 ", table.replace("~", "="), re.MULTILINE), table
    assert f"portal {OLD} -> {NEW}" in table


def test_callbacks_of_the_job_are_those_of_the_job_alone(seen: Seen, project: Project) -> None:
    assert (project.folder / "noise").read_text(encoding="utf-8") == "here\n"


def test_page_and_junit_say_the_same(seen: Seen) -> None:
    for name in ("prod", "edge", "stage", "lost", "torn", "mute"):
        assert seen.page.count(f'<h2 id="c-{name}"') == 1
    assert "SLW-6102" in seen.page
    assert f"portal {OLD} -&gt; {NEW}" in seen.page
    assert not re.search(r"<script|https?://(?!127\.)|src=", seen.page)
    cases = {case.get("name"): case for case in seen.junit}
    assert (seen.junit.get("tests"), seen.junit.get("errors"), seen.junit.get("failures")) == ("6", "3", "1")
    assert cases["edge"].find("failure") is not None
    assert cases["prod"].find("failure") is cases["prod"].find("error") is None


def test_the_exit_status_is_as_asked_for(seen: Seen) -> None:
    assert seen.status == 2
    assert "SLW-4901 drift: edge" in seen.out
    assert "SLW-4901 unreachable: lost, torn, mute" in seen.out
    assert '"slipway_fleet_status"' in seen.out
    assert seen.report["counts"] == {
        "clusters": 6, "answered": 3, "changes": 1, "drift": 1, "unreachable": 3, "errors": 3, "behind": 1,
    }  # fmt: skip


def test_a_fleet_of_which_somebody_answers_ends_well_by_default(project: Project) -> None:
    done = project.run("-e", "slipway_fleet=inventories/torn,inventories/e*")
    assert done.returncode == 0, done.stdout
    assert "FLEET  2 clusters: 1 answered, 1 did not  result: error" in done.stdout


def test_a_fleet_of_which_nobody_answers_fails(project: Project) -> None:
    done = project.run("-e", "slipway_fleet=inventories/torn")
    assert done.returncode == 2
    assert "SLW-8804 no cluster of the fleet answered" in done.stdout


def test_all_that_is_wrong_with_a_fleet_is_told_before_anybody_is_asked(project: Project) -> None:
    wrong = [{"inventori": "inventories/prod"}, "inventories/prdo", "inventories/torn"]
    done = project.run("-e", json.dumps({"slipway_fleet": wrong}))
    assert done.returncode == 2
    assert "did you mean 'inventory'?" in done.stdout
    assert "inventories/prdo: there is no such folder or file" in done.stdout
    assert "torn" not in done.stdout


def test_vars_of_an_entry_count_more_than_its_inventory(project: Project, gone: str) -> None:
    kubeconfig = {
        "slipway_api_server": "",
        "slipway_api_token": "",
        "slipway_kubeconfig": project.prod.env["kubeconfig"],
    }
    entries = [
        {"inventory": "inventories/lost", "name": "found", "vars": kubeconfig},
        {"inventory": "inventories/prod", "name": "moved", "timeout": 4, "vars": {"slipway_api_server": gone}},
    ]
    done = project.run("-e", json.dumps({"slipway_fleet": entries, "slipway_report_file": "vars.json"}))
    report = json.loads((project.folder / "vars.json").read_text(encoding="utf-8"))
    assert {one["name"]: one["answered"] for one in report["clusters"]} == {"found": True, "moved": False}, done.stdout


def test_vault_passwords_reach_every_look(project: Project) -> None:
    folder = project.folder / "vaulted"
    inventory(folder, project.prod, {})
    secret, password = folder / "group_vars" / "all" / "secret.yml", project.folder / "password"
    password.write_text("open sesame\n", encoding="utf-8")
    secret.write_text(f"slipway_helm: {project.prod.helm}\n", encoding="utf-8")
    vault = [str(Path(sys.executable).parent / "ansible-vault"), "encrypt", "--vault-id", f"site@{password}"]
    subprocess.run([*vault, str(secret)], env=project.env, check=True, capture_output=True)
    done = project.run("-e", "slipway_fleet=vaulted", "--vault-id", f"site@{password}")
    assert done.returncode == 0, done.stdout
    assert project.run("-e", "slipway_fleet=vaulted").returncode == 2


@pytest.mark.parametrize("whole", [False, True], ids=["main process", "process group"])
def test_a_killed_run_leaves_no_look_behind(project: Project, whole: bool) -> None:
    """Its inventory is a program that would go on for longer than this test waits, in a session of its own."""
    token, folder = "not-to-be-seen", project.folder / f"stuck-{whole}"
    folder.mkdir()
    script = folder / "hosts"
    script.write_text("#!/bin/sh\nexec setsid -w sleep 600\n", encoding="utf-8")
    script.chmod(0o755)
    extra = project.folder / f"kill-{whole}.json"
    entry = {"inventory": folder.name, "vars": {"slipway_api_token": token}}
    extra.write_text(json.dumps({"slipway_fleet": [entry]}), encoding="utf-8")
    process = subprocess.Popen(
        project.command("-e", f"@{extra}"),
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    found = eventually(lambda: below(process.pid, "sleep 600"))
    assert not [line for line in map(arguments, found) if token in line]
    if whole:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait(10)
    eventually(lambda: not [pid for pid in found if alive(pid)])


def below(run: int, program: str) -> list[int]:
    """All processes of a run, once one of them is ``program``."""
    every = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    found = [pid for pid in every if run in ancestors(pid)]
    return found if program in map(arguments, found) else []


def arguments(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        try:
            stat = (Path("/proc") / str(pid) / "stat").read_text(encoding="utf-8")
        except OSError:
            break
        pid = int(stat.rpartition(")")[2].split()[1])
        found.append(pid)
    return found


def alive(pid: int) -> bool:
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
