# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One run at a time works on nodes, and one that dies wedges nothing; a cluster without a record is somebody else's.

One story on one lab, its tests in the order of a cluster's life; what a test needs of the one before is said by a
fixture. A callback of the test's kills a run, or holds it, when a task begins.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest

from lab.hosts.log import counting
from tests.contract.fixtures.session import Running
from tests.contract.kubespray.deaths import BEFORE_THE_LOCK, RECORDED, THROUGH, TOKENS, dies, held, rights
from tests.contract.kubespray.operations import RECORD, Operations, operations
from tests.contract.kubespray.site import Ran
from tests.contract.support import eventually

pytestmark = pytest.mark.lab

FIRST = ("control1", "worker1")
ALL = (*FIRST, "worker2")
KUBESPRAY_BEGINS = "Say who is at work"
LAST = "nodes : Let others work on the nodes"
GOES_ON = "; this run goes on from what is there"
NOTHING = f"did not come to its end, no playbook of Kubespray's was through{GOES_ON}"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    """Hosts, and no cluster."""
    with operations(f"deaths-{os.getpid()}", tmp_path_factory.mktemp("deaths"), "1", "2") as one:
        one.write(*FIRST)
        yield one


@pytest.fixture(scope="module")
def installed(empty: Operations) -> Operations:
    """A cluster; nothing is done when there is one already."""
    empty.done("install")
    return empty


@pytest.fixture(scope="module")
def died_early(empty: Operations) -> Operations:
    """Runs that came no further than to the lock, where there is no cluster yet."""
    before = empty.tasks
    for task in BEFORE_THE_LOCK.values():
        said = dies(empty, "install", task)
        assert "did not come to its end" not in said
        assert not empty.run_file.exists()
    assert empty.tasks == before
    return empty


@pytest.fixture(scope="module")
def two(died_early: Operations) -> tuple[Running, Ran]:
    """Two runs at once, before there is a cluster. The first one's main process is killed at the end, and nobody
    cleans up after it."""
    first = held(died_early, "install", KUBESPRAY_BEGINS)
    assert "did not come to its end" not in first.text
    before = died_early.tasks
    second = died_early.does("install")
    assert died_early.tasks == before
    first.process.kill()
    first.process.wait(30)
    return first, second


def test_second_run_is_refused(empty: Operations, two: tuple[Running, Ran]) -> None:
    first, second = two
    assert second.status == 2
    assert "SLW-8304" in second.out
    assert f" pid {first.process.pid} " in second.out
    assert empty.run_file.exists()


@pytest.mark.usefixtures("two")
def test_installation_that_dies_again_and_again(empty: Operations) -> None:
    """Before Kubespray, before the record, after it: the next one says what it follows, and does what is left."""
    with empty.acted() as acted:
        said = dies(empty, "install", THROUGH)
    assert NOTHING in said
    assert acted["cluster"] == list(FIRST)
    # There is a cluster now, and no record. It is ours all the same.
    with empty.acted() as acted:
        said = dies(empty, "install", LAST)
    assert NOTHING in said
    assert "SLW-8302" not in said
    assert acted["cluster"] == list(FIRST)
    assert empty.record()["hosts"].keys() == set(FIRST)
    before = empty.tasks
    ran = empty.done("install")
    assert f"did not come to its end, Kubespray's cluster was through{GOES_ON}" in ran.out
    assert empty.tasks == before
    assert not empty.run_file.exists()
    assert empty.secrets(TOKENS) == []


def test_scale_that_dies_before_the_lock_leaves_nothing(installed: Operations) -> None:
    installed.write(*ALL)
    before, objects = installed.tasks, versions(installed)
    assert rights(installed) == []
    said = dies(installed, "scale", BEFORE_THE_LOCK["locking"])
    assert re.search(r"^\+ worker2 +join", said, re.MULTILINE)
    assert not installed.run_file.exists()
    assert rights(installed) == []
    assert versions(installed) == objects
    assert installed.tasks == before


def test_check_mode_waits_for_nobody(installed: Operations) -> None:
    """Nobody joins in it, so that a node which is waited for would be waited for in vain."""
    installed.write(*ALL)
    before, objects = installed.tasks, versions(installed)
    ran = installed.done("scale", "--check")
    assert re.search(r"^\+ worker2 +join", ran.out, re.MULTILINE)
    assert "SLW-8308" not in ran.out
    assert installed.tasks == before
    assert versions(installed) == objects
    assert not installed.run_file.exists()


@pytest.mark.slow
def test_scale_that_dies_with_all_its_processes(installed: Operations) -> None:
    installed.write(*ALL)
    run = held(installed, "scale", "join : Configuration")
    tokens = installed.secrets(TOKENS)
    assert len(tokens) == 1
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait(30)
    with installed.acted() as acted, counting([installed.hosts["worker1"]]) as new:
        said = dies(installed, "scale", RECORDED)
    assert "an earlier scale by " in said
    assert NOTHING in said
    assert acted["scale"] == ["worker2"]
    assert new == {"worker1": 0}
    before = installed.tasks
    ran = installed.done("scale")
    assert f"Kubespray's scale was through{GOES_ON}" in ran.out
    assert installed.tasks == before
    assert installed.secrets(TOKENS) == []
    assert installed.nodes().keys() == set(ALL)


@pytest.fixture
def silent(installed: Operations) -> Iterator[Operations]:
    """A cluster whose API takes connections and says nothing."""
    server = installed.state.processes["kube-apiserver"].pid
    os.kill(server, signal.SIGSTOP)
    yield installed
    os.kill(server, signal.SIGCONT)


@pytest.mark.slow
def test_api_that_does_not_answer(silent: Operations) -> None:
    """Status tells what it can, a plan says why there is none, and who says so may go on without it."""
    ran = silent.does("status")
    assert ran.status == 2, "of add-ons nothing can be told"
    assert f"NODES {silent.name}  the API does not answer  Kubespray: 2.31.0 installed  result: error" in ran.out
    assert "! SLW-8311 there is a cluster, and its API does not answer" in ran.out
    ran = silent.does("plan")
    assert ran.status == 2
    assert "SLW-8311" in ran.out
    ran = silent.done("plan", slipway_converge=True)
    assert "Kubespray's cluster runs on control1, worker1" in ran.out


@pytest.mark.slow
def test_install_goes_on_without_an_answer(silent: Operations) -> None:
    """Kubespray brings the API back, and one who joins then has a token. A host that is dead is left out."""
    server = silent.state.processes["kube-apiserver"].pid
    silent.write(*ALL)
    before = len(silent.tokens_made())
    silent.lab("power", "worker2", "off")
    try:
        with silent.acted() as acted:
            running = silent.start("install", slipway_converge=True, slipway_absent_nodes="worker2")
            eventually(silent.held, 300)
            os.kill(server, signal.SIGCONT)
            ended = running.wait(300)
    finally:
        silent.lab("power", "worker2", "on")
    assert ended.rc == 0, ended.text
    assert "! cluster  its API does not answer" in ended.text
    assert "? worker2   absent" in ended.text
    assert acted["cluster"] == list(FIRST)
    assert "scale" not in acted
    assert len(silent.tokens_made()) == before + 1
    assert silent.secrets(TOKENS) == []


@pytest.mark.slow
def test_cluster_whose_api_does_not_answer_is_not_removed(silent: Operations) -> None:
    """What it has outside could not be looked at. Who says that it stays there is told that in the plan."""
    before = silent.tasks
    consent = {"slipway_remove_cluster": silent.name}
    ran = silent.does("remove", **consent)
    assert ran.status == 2, ran.out
    assert "SLW-8311 there is a cluster, and its API does not answer" in ran.out
    assert "-e slipway_remove_external=false" in ran.out
    assert not silent.run_file.exists()
    ran = silent.done("remove", "--check", slipway_remove_external=False, **consent)
    assert "! SLW-8431 no API could be asked" in ran.out
    assert silent.tasks == before


@pytest.fixture(scope="module")
def foreign(installed: Operations) -> Operations:
    """A cluster whose record is lost."""
    installed.write(*ALL)
    installed.done("install")
    with installed.api() as api:
        api.need("DELETE", RECORD)
    return installed


@pytest.mark.parametrize(
    ("words", "consent", "code"),
    [
        ((), {}, "SLW-8302"),
        ((), {"slipway_adopt_cluster": "another"}, "SLW-8302"),
        (("--limit", "worker1"), {}, "SLW-8314"),
    ],
    ids=["no consent", "consent for another", "limit"],
)
def test_nothing_begins(foreign: Operations, words: tuple[str, ...], consent: dict[str, str], code: str) -> None:
    before = foreign.tasks
    ran = foreign.does("install", *words, **consent)
    assert ran.status in (1, 2)
    assert code in ran.out
    assert foreign.tasks == before
    assert not foreign.run_file.exists()


def test_check_mode_changes_nothing(foreign: Operations) -> None:
    before, objects = foreign.tasks, versions(foreign)
    ran = foreign.done("install", "--check", slipway_adopt_cluster=foreign.name)
    assert "adopt" in ran.out
    assert foreign.tasks == before
    assert not foreign.run_file.exists()
    assert versions(foreign) == objects


def test_adoption_runs_nothing_on_nodes(foreign: Operations) -> None:
    before = foreign.tasks
    with counting(foreign.hosts[name] for name in ALL[1:]) as new:
        foreign.done("install", slipway_adopt_cluster=foreign.name)
    assert foreign.tasks == before
    assert new == {"worker1": 0, "worker2": 0}
    record = foreign.record()
    assert record["adopted"] is True
    assert record["hosts"].keys() == set(ALL)
    ran = foreign.done("install")
    assert "Kubespray has nothing to do" in ran.out
    assert foreign.tasks == before


def versions(site: Operations) -> dict[str, str]:
    """What there is that we write, each with its version."""
    found = {}
    for path in ("/api/v1/namespaces", "/api/v1/configmaps", "/api/v1/secrets"):
        for item in site.get(path)["items"]:
            meta = item["metadata"]
            found[f"{path} {meta.get('namespace', '')} {meta['name']}"] = meta["resourceVersion"]
    return found
