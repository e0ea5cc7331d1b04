# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An installation whose jobs are killed again and again, as AWX does when it cancels one or loses patience with it.

Each job is a container on a machine of its own; a kill ends all that is in it, at once and without a warning. One story
on one lab: each job gets a little further than the one before, and the last one to the end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.node import accounts
from tests.contract.kubespray.containers import Container, Containers, began, descendants, listening
from tests.contract.kubespray.deaths import CALLBACKS, RECORDED, THROUGH, TOKENS, rights
from tests.contract.kubespray.jobs import Jobs
from tests.contract.kubespray.killed import (
    ALL,
    CLAIM_SECONDS,
    FIRST,
    JOIN_SECONDS,
    LEASE,
    LEASE_SECONDS,
    NODES_SECONDS,
    TRIED,
    Story,
    at_write,
    before,
    cmdline,
    decoded,
    on_host,
    there,
    while_hosts_work,
    while_waiting,
)
from tests.contract.kubespray.operations import operations
from tests.contract.kubespray.secrets_left import credentials, on_hosts
from tests.contract.runner import control
from tests.contract.support import eventually

pytestmark = pytest.mark.lab

KUBESPRAY_SECONDS = 86400
"""Of the token that a new cluster begins with: Kubespray has it so, and no variable for it."""
TOKEN_SECONDS = 1200
SLACK = 5


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Hosts, and no cluster."""
    with operations(f"kill-{os.getpid()}", tmp_path_factory.mktemp("kill"), "1", "2") as site:
        containers = Containers(Jobs(site))
        try:
            yield Story(containers, {name: len(on_host(site, name)) for name in site.hosts})
        finally:
            containers.close()
            containers.jobs.close()


@dataclass(frozen=True)
class Moment:
    """``hosts`` are those of the inventory then. ``claims``: whether the job leaves a claim on the nodes."""

    catch: Callable[[Story], Container]
    hosts: tuple[str, ...] = FIRST
    claims: bool = True


MOMENTS = {
    "looking at hosts": Moment(before("preflight : Look at the host"), claims=False),
    "locked": Moment(before("nodes : The token that a new cluster begins with")),
    "kubespray works": Moment(while_hosts_work),
    "up and not recorded": Moment(before(THROUGH)),
    "recorded": Moment(before(RECORDED)),
    "joining": Moment(before("join : Configuration"), ALL),
    "joined and not recorded": Moment(before(f"{THROUGH}#2"), ALL),
    "only its token is left": Moment(before(RECORDED), ALL),
    "no object of an add-on yet": Moment(at_write(method="PATCH", path=rf"{TRIED}/configmaps/one"), ALL, claims=False),
    "waiting for readiness": Moment(while_waiting, ALL, claims=False),
    "last record": Moment(
        at_write(method="PUT|PATCH", path=rf"{TRIED}/slipway\.[^/]*\.last", nth=2), ALL, claims=False
    ),
}
ORDINARY = ("kubespray works", "only its token is left", "waiting for readiness")
REFUSED = "kubespray works"
"""After this one the next job does not know that it is dead."""
EXPIRED = "only its token is left"
"""Nothing is to be done with nodes after this one, and nobody is told that it is dead: its time is over."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ORDINARY else [pytest.mark.slow]) for name in MOMENTS]
)
def test_killed(story: Story, name: str) -> None:
    moment = MOMENTS[name]
    story.write(*moment.hosts)
    container = moment.catch(story)
    agents = [pid for pid in descendants(container.first) if b"session.process" in cmdline(pid)]
    assert len(agents) == 1, "its session was there"
    there = container.is_killed()
    control(story.site.env, "POST", "/release", {"drop": True})
    assert {*agents} < there.keys()
    assert any(socket.endswith("/agent") for socket in container.sockets)
    nothing_runs_on(story, container, there)
    assert bool(story.claim()) is moment.claims
    what_is_left_ends(story)
    assert credentials(story.containers.jobs.left(), {*on_hosts(story.site), *story.containers.jobs.given}) == []

    if name == REFUSED:
        is_refused(story, container)
    if name == EXPIRED:
        story.site.run_file.write_text(json.dumps({**story.claim(), "expires": time.time() - 1}), encoding="utf-8")


def is_refused(story: Story, dead: Container) -> None:
    """The next job, with a consent that is another run's: it names the job and the way on, and touches nothing."""
    before, kept = story.site.tasks, story.claim()
    job = story.containers.run("install", slipway_dead_run="000000")
    assert (job.rc, job.status) == (2, "failed"), job.out
    said = " ".join(job.out.split())
    assert f"SLW-8304 AWX job {dead.number}, " in said
    assert f"@automation-job-{dead.number} pid " in said
    assert f"go on at once with -e slipway_dead_run={story.mark()})" in said
    assert story.site.tasks == before
    assert story.claim() == kept


def nothing_runs_on(story: Story, container: Container, there: dict[int, str]) -> None:
    """Neither here nor on hosts: there whatever was on its way comes to its own end, and sshd's sessions with it."""
    eventually(lambda: [pid for pid, start in there.items() if began(pid) == start != ""] == [])
    assert listening(container.sockets) == set()
    for host, count in story.quiet.items():
        eventually(lambda host=host, count=count: len(on_host(story.site, host)) <= count, 60)


def what_is_left_ends(story: Story) -> None:
    """By itself: nobody cleans up after a job that was killed."""
    site, now = story.site, datetime.now(UTC)
    for accessor, token in story.tokens().items():
        assert 0 < token["ttl"] <= TOKEN_SECONDS
        story.expires.setdefault(accessor, token["expire_time"])
    if found := story.claim():
        assert found["expires"] <= time.time() + NODES_SECONDS
    if "kube-apiserver" not in site.state.processes:
        return
    path = f"{accounts.RBAC}/clusterrolebindings?labelSelector={accounts.LABEL_RECORD}%3D{accounts.RECORD}"
    for item in site.get(path)["items"]:
        if item["metadata"]["name"].startswith(accounts.installer_name("")):
            until = datetime.fromisoformat(item["metadata"]["annotations"][accounts.EXPIRES])
            assert until <= now + timedelta(seconds=CLAIM_SECONDS + SLACK)
    if lease := there(site, LEASE):
        assert lease["spec"]["leaseDurationSeconds"] <= LEASE_SECONDS
    for item in site.get("/api/v1/secrets")["items"]:
        if item["type"] == TOKENS:
            data = {key: decoded(value) for key, value in item["data"].items()}
            ours = data.get("description") == "Nodes that join by Slipway"
            life = timedelta(seconds=JOIN_SECONDS if ours else KUBESPRAY_SECONDS)
            assert datetime.fromisoformat(data["expiration"]) <= now + life


# --- the end ---------------------------------------------------------------------------------------------------------


def test_last_job_comes_to_its_end(story: Story) -> None:
    story.write(*ALL)
    job = story.containers.run("install", **story.consent())
    assert (job.rc, job.status) == (0, "successful"), job.out
    assert story.site.nodes().keys() == story.site.record()["hosts"].keys() == set(ALL)
    assert there(story.site, "/api/v1/namespaces/last/configmaps/three")
    assert story.claim() == {}
    assert story.site.secrets(TOKENS) == []


def test_nothing_is_left_of_the_dead(story: Story) -> None:
    """And nobody has lengthened the life of what they had."""
    left = rights(story.site)
    time.sleep(CLAIM_SECONDS + SLACK if left else 0)
    before, said = story.site.tasks, story.containers.run("install")
    assert said.rc == 0, said.out
    assert "Kubespray has nothing to do" in said.out
    assert story.site.tasks == before
    assert rights(story.site) == []
    tokens = story.tokens()
    assert {
        name: tokens[name]["expire_time"] for name in story.expires.keys() & tokens.keys()
    }.items() <= story.expires.items()


def test_canceled_by_the_runner(story: Story) -> None:
    """Without a container: ansible-runner ends its playbook by SIGKILL, and the session's agent has its last word."""
    jobs, site = story.containers.jobs, story.site
    folder, file = jobs.laid_out("install", terminal=True), site.tmp / "held-here"
    before = story.tokens().keys()
    at = {"AT_TASK": "addons : Plan the add-ons and carry out the plan", "AT_FILE": str(file)}
    env = {**jobs.environment(), **at, "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS)}
    with (
        (folder / "said").open("w") as stream,
        subprocess.Popen(
            jobs.command(folder),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        ) as process,
    ):
        eventually(file.exists, 120)
        agents = [pid for pid in descendants(process.pid) if b"session.process" in cmdline(pid)]
        assert len(agents) == 1
        assert len(list(site.runtime.glob("slipway-*"))) == 1
        assert len(story.tokens().keys() - before) == 1
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert (folder / "artifacts" / "1" / "status").read_text(encoding="utf-8") == "canceled"
    eventually(lambda: not any(began(pid) for pid in agents))
    assert list(site.runtime.glob("slipway-*")) == []
    assert story.tokens().keys() <= before
    for host, count in story.quiet.items():
        eventually(lambda host=host, count=count: len(on_host(site, host)) <= count, 60)
