# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Rights that a control plane host gives for one run: they suffice, nobody sees the token, and they end with the run,
however it ends."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.node import accounts as a
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.cluster_access import ClusterAccess
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.transport import Api
from tests.contract.fixtures import objects as o
from tests.contract.rights import CORES, RBAC, Accessed, audited, holds, looking
from tests.contract.runner import control
from tests.contract.support import CHARTS, Cluster, eventually

pytestmark = pytest.mark.lab

REFUSED = 12.0
"""Seconds after which a token has to be refused: 10 that the API server remembers it, and what a busy machine adds."""
EXPIRES = "slipway.cluster/expires"


@pytest.fixture(scope="module", autouse=True)
def core_there() -> None:
    for core, folder in CORES.items():
        if not (folder / "ansible-playbook").exists():
            pytest.skip(f"ansible-core {core} is not installed: {folder.name}/bin/ansible-playbook does not exist")


@pytest.fixture
def cleaned(cluster: Cluster) -> Iterator[Cluster]:
    o.make_namespaces(cluster, cluster.home, cluster.ns("main"))
    yield cluster
    o.kubectl(cluster, "delete", "ns", f"{cluster.name}-access", "--wait=false", "--ignore-not-found")


def addons(cluster: Cluster, folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "looks": {"namespace": cluster.ns("main"), **looking(folder)},
        "plain": {
            "namespace": cluster.ns("main"),
            "after": ["looks"],
            "objects": [
                o.config_map("plain", word="one"),
                o.config_map("calm", word="one"),
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "owned"}, "stringData": {"pin": "0815"}},
            ],
        },
        **more,
    }


def stuck(cluster: Cluster) -> dict[str, Any]:
    """An add-on that a run waits for until it is killed."""
    return {
        "stuck": {"namespace": cluster.ns("main"), "timeout": 300, "objects": [o.deployment("stuck", "never-ready")]}
    }


def waits(run: Accessed) -> None:
    """Until the run holds its rights and waits."""
    eventually(lambda: run.cluster.get(o.apps("deployments", run.cluster.ns("main"), "stuck")), 60)
    assert len(run.rights()) == 2


def kill(pid: int) -> None:
    os.killpg(pid, signal.SIGKILL)


@pytest.mark.parametrize("core", CORES)
def test_rights_and_token_end_with_the_run_and_nobody_sees_them(core: str, cleaned: Cluster, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    run = Accessed(cleaned, tmp_path, addons(cleaned, tmp_path), slipway_report_file=str(report))
    said = run.run("install", "-vvvvvv", core=core, ANSIBLE_DEBUG="1", ANSIBLE_KEEP_REMOTE_FILES="1")
    (token,) = run.tokens
    # At once: the API server remembers who has the token, and not what he may do.
    assert run.answer(token) in (401, 403)
    assert run.rights() == set()
    eventually(lambda: run.answer(token) == 401, REFUSED)
    assert "slipway.cluster.cluster_access" in said
    assert token not in said
    assert token.split(".")[2] not in said
    assert base64.b64encode(token.encode()).decode() not in said
    assert holds(tmp_path, token) == [str(tmp_path / "tokens")]
    assert holds(tmp_path, "client-key-data") == []
    assert json.loads(report.read_text(encoding="utf-8"))["result"] == "changes"
    assert cleaned.get(o.core("configmaps", cleaned.ns("main"), "looked"))["data"]["seen"] == "kube-system"  # type: ignore[index]
    # What the run did, it did as its installer: no certificate of an administrator was used but by the module.
    users = {entry["user"]["username"] for entry in audited(cleaned, "slipway (install)", cleaned.name)}
    assert len(users) == 1
    assert re.fullmatch(rf"system:serviceaccount:{run.space}:slipway-installer-[0-9a-f]{{12}}", users.pop())


def test_a_run_that_fails_gives_its_rights_back(cleaned: Cluster, tmp_path: Path) -> None:
    broken = {"broken": {"namespace": cleaned.ns("main"), "timeout": 2, "objects": [o.deployment("b", "never-ready")]}}
    run = Accessed(cleaned, tmp_path, addons(cleaned, tmp_path, **broken))
    run.run("install", rc=2)
    assert run.rights() == set()
    assert run.answer(run.tokens[0]) in (401, 403)


def test_a_plan_reads_and_nothing_else(cleaned: Cluster, tmp_path: Path) -> None:
    run = Accessed(cleaned, tmp_path, addons(cleaned, tmp_path))
    run.run("install")
    where = cleaned.ns("main")
    cleaned.patch(o.core("configmaps", where, "plain"), {"data": {"word": "two", "more": "x"}})
    o.kubectl(cleaned, "create", "secret", "generic", "others", "-n", where, "--from-literal=a=b")
    for name in ("plan", "drift"):
        said = run.run(name)
        assert re.search(r"data\.word +one -> two +by kubectl-edit", said), said
    changed = [o.config_map("plain", word="one"), o.config_map("calm", word="three")]
    more = {"slipway_addons__new": {"plain": {"objects": changed}}}
    assert "? ConfigMap" in (said := run.run("plan", "-e", json.dumps(more)))
    assert "calm  unverified (rights): no right to dry-run" in said
    reader = f"system:serviceaccount:{run.space}:slipway-reader-{cleaned.name}"
    asked = [entry for entry in audited(cleaned, reader) if entry["user"]["username"] == reader]
    assert {entry["userAgent"] for entry in asked} == {"slipway (plan)", "slipway (drift)"}
    tried = [entry for entry in asked if entry["verb"] not in ("get", "list", "watch")]
    assert {entry["responseStatus"]["code"] for entry in tried} == {403}
    assert all("dryRun=All" in entry["requestURI"] for entry in tried)
    users = {entry["user"]["username"] for entry in audited(cleaned, "slipway (plan)", run.space)}
    assert users == {f"system:serviceaccount:{run.space}:slipway-reader-{cleaned.name}"}
    allowed = [("list", "configmaps", "-A"), ("get", "secrets/owned", "-n", where), ("list", "nodes")]
    assert [run.may(*words) for words in allowed] == [True] * 3
    refused = [
        ("list", "secrets", "-n", where),
        ("list", "secrets", "-A"),
        ("watch", "secrets", "-A"),
        ("get", "secrets/others", "-n", where),
        ("get", "secrets/owned", "-n", "default"),
        ("create", "serviceaccounts", "--subresource=token", "-n", run.space),
        ("get", "pods", "--subresource=log", "-n", where),
        ("impersonate", "users"),
        *((verb, "configmaps", "-A") for verb in ("create", "update", "patch", "delete", "deletecollection")),
        *((verb, "clusterroles") for verb in ("escalate", "bind", "create")),
    ]
    assert [words for words in refused if run.may(*words)] == []
    # Its token has ended, too: the Secret that it was bound to is gone.
    assert run.run_secrets() == []


def test_rights_of_the_reader_follow_the_records(cleaned: Cluster, tmp_path: Path) -> None:
    """What is removed cannot be read any more, and with the last add-on the reader goes."""
    run = Accessed(cleaned, tmp_path, addons(cleaned, tmp_path))
    assert "in the manifest, not on the cluster" in run.run("plan")
    where = cleaned.ns("main")
    assert not run.may("get", "secrets/owned", "-n", where)
    run.run("install")
    assert run.may("get", "secrets/owned", "-n", where)
    run.run("remove", "-e", "slipway_remove_addons=plain")
    assert not run.may("get", "secrets/owned", "-n", where)
    assert run.may("get", "secrets/sh.helm.release.v1.looks.v1", "-n", where)
    run.run("remove", "-e", "slipway_remove_addons=looks")
    left = o.kubectl(
        cleaned, "get", "clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts", "-A",
        "-l", f"slipway.cluster/name={cleaned.name},slipway.cluster/record=access", "-o", "name",
    )  # fmt: skip
    assert left.replace("No resources found", "").strip() == ""
    eventually(lambda: cleaned.get(f"/api/v1/namespaces/{run.space}") is None, 30)


def test_the_first_plan_of_all_reads_a_cluster_that_knows_nothing_of_us(cluster: Cluster, tmp_path: Path) -> None:
    """Neither the records' namespace is there, nor a right to look at what a chart would make."""
    o.make_namespaces(cluster, cluster.ns("main"))
    notifier = {"chart": {"path": str(CHARTS / "notifier")}, "namespace": cluster.ns("main")}
    run = Accessed(cluster, tmp_path, {"notifier": notifier, **addons(cluster, tmp_path)})
    said = run.run("plan")
    assert re.search(r"^\+ notifier +install", said, re.MULTILINE), said
    assert cluster.get(f"/api/v1/namespaces/{cluster.home}") is None
    assert "unverified (rights): the chart looks into the cluster where this credential may not" in said
    assert "Secret" in said
    o.kubectl(cluster, "delete", "ns", run.space, "--wait=false")


def test_a_namespace_goes_though_the_reader_may_look_into_it(cleaned: Cluster, tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "owned"}, "stringData": {"pin": "0815"}}
    own = {"own": {"namespace": cleaned.ns("own"), "objects": [secret]}}
    run = Accessed(cleaned, tmp_path, {**own, **addons(cleaned, tmp_path)})
    run.run("install")
    run.run("status")
    path = f"{RBAC}/namespaces/{cleaned.ns('own')}/roles/{a.reader_name(cleaned.name)}"
    assert cleaned.get(path)
    run.run("remove", "-e", "slipway_remove_addons=own")
    eventually(lambda: cleaned.get(f"/api/v1/namespaces/{cleaned.ns('own')}") is None, 30)


def test_what_a_killed_run_left_is_removed_by_the_next(cleaned: Cluster, tmp_path: Path) -> None:
    run = Accessed(cleaned, tmp_path, stuck(cleaned), slipway_lock_duration=3)
    main = run.start("install")
    try:
        waits(run)
    finally:
        kill(main.pid)
        main.wait(10)
    left = run.rights()
    assert len(left) == 2
    # Its time is not over: who knows whether it is dead.
    assert "removed what an earlier run left" not in run.run("status")
    assert run.rights() == left

    def said() -> str:
        text = run.run("status")
        return text if "removed what an earlier run left" in text else ""

    text = eventually(said, 90)
    assert all(what.rsplit(" ", maxsplit=1)[1] in text for what in left)
    assert run.rights() == set()


def test_a_worker_without_its_parent_gives_the_rights_back_itself(cleaned: Cluster, tmp_path: Path) -> None:
    run = Accessed(cleaned, tmp_path, stuck(cleaned), slipway_lock_duration=3)
    main = run.start("install")
    try:
        waits(run)
        os.kill(main.pid, signal.SIGKILL)
        main.wait(10)
        # The account goes with its binding, by the cluster's own garbage collector.
        eventually(lambda: run.rights() == set(), 20)
    finally:
        kill(main.pid)


def test_two_runs_at_once_leave_each_other_alone(cleaned: Cluster, tmp_path: Path) -> None:
    run = Accessed(cleaned, tmp_path, stuck(cleaned))
    main = run.start("install")
    try:
        waits(run)
        first = run.rights()
        (binding,) = (what.split()[1] for what in first if what.startswith("binding"))

        def until() -> str:
            return str(cleaned.get(f"{RBAC}/clusterrolebindings/{binding}")["metadata"]["annotations"][EXPIRES])  # type: ignore[index]

        before = until()
        assert "SLW-6001" in run.run("install", rc=2)
        assert run.rights() == first
        run.run("plan")
        assert run.rights() == first
        # It says again and again that it lives.
        eventually(lambda: until() > before, 30)
    finally:
        kill(main.pid)
        main.wait(10)


def test_a_token_that_ends_in_the_middle_is_renewed(cleaned: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    run = Accessed(cleaned, folder, addons(cleaned, tmp_path), order={"status": 401})
    try:
        run.run("install")
        (token,) = run.tokens[:1]
        rules = {one["id"]: one["fired"] for one in control(cleaned.env, "GET", "/rules")}
        assert rules[run.ordered]
    finally:
        run.take_order_back()
    issued = [e for e in audited(cleaned, "/token", f"/namespaces/{run.space}/") if e["verb"] == "create"]
    accounts = {entry["objectRef"]["name"] for entry in issued}
    assert len(issued) == 2
    assert len(accounts) == 1, accounts
    assert cleaned.get(o.core("configmaps", cleaned.ns("main"), "plain"))
    assert run.rights() == set()
    eventually(lambda: run.answer(token) == 401, REFUSED)


def test_rights_that_somebody_took_are_asked_for_again(cleaned: Cluster, tmp_path: Path) -> None:
    """As when a run is taken for dead because it could not say for a while that it is not."""
    run = Accessed(cleaned, tmp_path, stuck(cleaned), slipway_lock_duration=300)
    main = run.start("install")
    try:
        waits(run)
        first = run.rights()
        for what in first:
            kind, name = what.split()
            path = (
                f"{RBAC}/clusterrolebindings"
                if kind == "binding"
                else f"/api/v1/namespaces/{run.space}/serviceaccounts"
            )
            cleaned.client().delete(f"{path}/{name}")
        eventually(lambda: run.rights() == first, 40)
        assert main.poll() is None
    finally:
        kill(main.pid)
        main.wait(10)


def test_no_rights_exist_while_a_hook_runs(cleaned: Cluster, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    kubectl = [cleaned.env["bin"]["kubectl"], "--kubeconfig", cleaned.env["kubeconfig"]]
    task = {
        "name": "Look",
        "ansible.builtin.shell": " ".join([
            *kubectl, "get", "clusterrolebindings", "-o", "name", "-l",
            f"slipway.cluster/access=installer,slipway.cluster/name={cleaned.name}", f"> {seen}",
        ]),
    }  # fmt: skip
    (tmp_path / "hook.yml").write_text(json.dumps([task]), encoding="utf-8")
    wanted = addons(cleaned, tmp_path)
    wanted["plain"]["hooks"] = {"before_install": [str(tmp_path / "hook.yml")]}
    run = Accessed(cleaned, tmp_path, wanted)
    run.run("install")
    assert seen.read_text(encoding="utf-8") == ""
    assert cleaned.get(o.core("configmaps", cleaned.ns("main"), "plain"))
    assert run.rights() == set()


def test_awx_s_artifacts_hold_no_token(cleaned: Cluster, tmp_path: Path) -> None:
    """AWX keeps what ansible-runner writes: every event with its result, and all output."""
    run = Accessed(cleaned, tmp_path, addons(cleaned, tmp_path))
    private = tmp_path / "private"
    (private / "project").mkdir(parents=True)
    play = "- import_playbook: slipway.cluster.install\n"
    (private / "project" / "site.yml").write_text(play, encoding="utf-8")
    done = ansible_runner.run(
        private_data_dir=str(private),
        playbook="site.yml",
        inventory=str(run.playbook.folder / "hosts.yml"),
        envvars={**run.environment, "PATH": f"{CORES['2.18']}:{os.environ['PATH']}"},
        verbosity=5,
        quiet=True,
    )
    assert done.rc == 0
    (token,) = run.tokens
    events = list((private / "artifacts").rglob("*.json"))
    assert [event for event in events if "slipway.cluster.addons" in event.read_text(encoding="utf-8")]
    assert holds(private, token) == []
    assert run.rights() == set()


def test_check_mode_of_an_acting_run_reads(cleaned: Cluster, tmp_path: Path) -> None:
    run = Accessed(cleaned, tmp_path, addons(cleaned, tmp_path))
    run.run("install", "--check")
    users = {entry["user"]["username"] for entry in audited(cleaned, "slipway (install)", run.space)}
    assert users == {f"system:serviceaccount:{run.space}:slipway-reader-{cleaned.name}"}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"slipway_admin_kubeconfig": "/nowhere/admin.conf"}, "SLW-7402 localhost: there is no /nowhere/admin.conf"),
        ({"slipway_api_forward": True}, "SLW-7405 slipway_api_forward needs a connection by ssh, this one is local"),
        ({"slipway_name": ""}, "SLW-7401 slipway_name is empty"),
        ({"ansible_python_interpreter": "/nowhere/python3"}, "SLW-7403 localhost"),
        # Neither a kubeconfig nor a host of the group: nobody is asked.
        ({"slipway_api_access": "auto"}, "SLW-6101 no cluster address is set"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_had_is_one_sentence(extra: dict[str, Any], said: str, cleaned: Cluster, tmp_path: Path) -> None:
    run = Accessed(cleaned, tmp_path, addons(cleaned, tmp_path), **extra)
    text = run.run("install", rc=2)
    assert said in text
    assert "Traceback" not in text
    assert run.rights() == set()


class Between(Api):
    """Another run begins after this one has seen which accounts there are."""

    begin: Callable[[], None] | None = None

    def items(self, path: str, selector: str) -> list[dict[str, Any]]:
        found = super().items(path, selector)
        begin, self.begin = self.begin, None
        if begin is not None:
            begin()
        return found


def test_a_run_that_just_begins_is_not_taken_for_a_dead_one(cleaned: Cluster) -> None:
    with Between(cleaned.access, user_agent=f"test {cleaned.name}") as api:
        _begins(cleaned, api)


def _begins(cleaned: Cluster, api: Between) -> None:
    def access() -> ClusterAccess:
        return ClusterAccess(api, name=cleaned.name, namespace=f"{cleaned.name}-access", home=cleaned.home)

    access().installer("first", 600, 60)

    def begin() -> None:
        access().installer("second", 600, 60)

    api.begin = begin
    assert access().end("first", leave=False).left_behind == []
    name = a.installer_name("second")
    assert api.get(a.binding_path(name))
    assert api.get(a.account_path(f"{cleaned.name}-access", name))
    access().remove()
    assert api.get(a.binding_path(name)) is None


def test_what_has_run_out_goes_and_nothing_of_another_name(cleaned: Cluster) -> None:
    with Api(cleaned.access, user_agent=f"test {cleaned.name}") as api:
        _run_out(cleaned, api)


def _run_out(cleaned: Cluster, api: Api) -> None:
    where, mine, other = f"{cleaned.name}-access", cleaned.name, f"{cleaned.name}-b"

    def access(name: str, *, dry: bool = False) -> ClusterAccess:
        return ClusterAccess(api, name=name, namespace=where, home=cleaned.home, dry=dry)

    for name in (mine, other):
        access(name).reader(f"plan-{name}", 600)
        access(name).installer(f"run-{name}", 600, -5)
        path = a.secret_path(where, a.lease_name(f"plan-{name}"))
        cleaned.patch(path, {"metadata": {"annotations": {a.EXPIRES: "2020-01-01T00:00:00Z"}}})
    over = {
        f"ClusterRoleBinding {a.installer_name(f'run-{mine}')}",
        f"ServiceAccount {a.installer_name(f'run-{mine}')}",
        f"Secret {a.lease_name(f'plan-{mine}')}",
    }
    assert set(access(mine, dry=True).reader("", 0).left_behind) == over
    # The account may have gone with its binding before anybody got to it.
    account = {f"ServiceAccount {a.installer_name(f'run-{mine}')}"}
    assert over - account <= set(access(mine).reader("", 0).left_behind) <= over
    assert access(mine).reader("", 0).left_behind == []
    for path in (
        a.binding_path(a.installer_name(f"run-{other}")),
        a.account_path(where, a.installer_name(f"run-{other}")),
        a.secret_path(where, a.lease_name(f"plan-{other}")),
    ):
        assert api.get(path), path
    assert access(mine).remove().removed
    assert api.get(a.account_path(where, a.reader_name(other)))
    # The namespace goes with the last account in it.
    assert f"Namespace {where}" in access(other).remove().removed
