# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Node operations as jobs of AWX: no terminal, or one at which nobody is, and nothing is left that opens the cluster.

One story on one lab, its tests in the order of a cluster's life; what a test needs of the one before is said by a
fixture.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.kubespray.jobs import Job, Jobs
from tests.contract.kubespray.operations import operations
from tests.contract.kubespray.secrets_left import LOOKS_LIKE, credentials, on_hosts

pytestmark = pytest.mark.lab

FIRST = ("control1", "worker1")
BOOTSTRAP = "bootstrap.kubernetes.io/token"
LATER = tuple(f"worker{number}" for number in range(2, 12))
# What a terminal would obey: anything but line ends (a pseudo-terminal makes CR LF of them).
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x9b]")


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Hosts, and no cluster."""
    with operations(f"jobs-{os.getpid()}", tmp_path_factory.mktemp("jobs"), "1", "11") as site:
        one = Jobs(site)
        yield one
        one.close()


def write(jobs: Jobs, *names: str) -> None:
    site = jobs.site
    site.write(*names, slipway_ssh=site.ssh(secret_id_file=str(jobs.mounted)))


def ended_well(jobs: Jobs, job: Job) -> None:
    """Done, in lines of text, without a question, and nothing is left on the controller."""
    assert (job.rc, job.status) == (0, "successful"), job.out
    text = job.out.replace("\r\n", "\n")
    assert [line for line in text.splitlines() if CONTROL.search(line)] == []
    paused = [event for event in job.events if event["event_data"].get("resolved_action") == "ansible.builtin.pause"]
    assert {event["event"] for event in paused} & {"runner_on_ok", "runner_on_failed"} == set()
    assert credentials(jobs.left(), {*on_hosts(jobs.site), *jobs.given}) == []


@pytest.fixture(scope="module")
def installed(jobs: Jobs) -> Jobs:
    """A cluster of a control plane and one worker, by a job whose output is a pipe."""
    write(jobs, *FIRST)
    job = jobs.run("install", terminal=False)
    ended_well(jobs, job)
    assert job.artifacts["slipway_nodes_plan"]["runs"] == {"cluster": list(FIRST)}
    return jobs


@pytest.fixture(scope="module")
def grown(installed: Jobs) -> Jobs:
    """Ten workers more, by a job with a terminal at which nobody is, and as many forks."""
    write(installed, *FIRST, *LATER)
    number = str(len(LATER))
    job = installed.run("scale", "--forks", number, terminal=True, env={"LAB_TOGETHER": number})
    ended_well(installed, job)
    assert job.artifacts["slipway_nodes_plan"]["runs"] == {"scale": list(LATER)}
    return installed


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("kubeconfig with a credential", "    client-key-data: LS0t"),
        ("private key", "-----BEGIN EC PRIVATE KEY-----"),
        ("private key", "a: LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVF"),
        ("join token", '"msg": "kubeadm join --token abcdef.0123456789abcdef"'),
        ("token of a service account", "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6.eyJhdWQiOlsiaHR0cHM6.c2ln"),
        ("token of OpenBao", "s.Nx9vTs8cGBdrCXWoYXsZ4kQm"),
    ],
)
def test_credentials_are_found_by_their_content(what: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "harmless").write_text(f"{{{text}}}", encoding="utf-8")
    assert credentials([tmp_path / "harmless"], []) == [f"{tmp_path}/harmless: {what}"]
    assert what in LOOKS_LIKE


def test_installed(installed: Jobs) -> None:
    assert installed.site.nodes().keys() == set(FIRST)
    # What is looked for in files is there to be found: on hosts.
    files = {where.partition(":")[2] for where in on_hosts(installed.site).values()}
    assert {"admin.conf", "kubeadm-client.conf"} <= files
    assert len(list(installed.left())) > 50


def test_ten_nodes_join_at_the_same_time_by_one_token(grown: Jobs) -> None:
    site = grown.site
    assert site.nodes().keys() == {*FIRST, *LATER}
    joins = [order for order in site.orders("join") if order["host"] in LATER]
    assert sorted(order["host"] for order in joins) == sorted(LATER)
    assert max(order["began"] for order in joins) < min(order["ended"] for order in joins)
    _of_the_installation, batch = site.tokens_made()
    assert site.joined_with()[-len(LATER) :] == [batch] * len(LATER)
    assert site.secrets(BOOTSTRAP) == []


def test_node_is_removed(grown: Jobs) -> None:
    """By a survey's text. Kubespray's own playbook asks on a terminal; here is one, and nobody to answer."""
    job = grown.run("remove", terminal=True, slipway_remove_nodes=LATER[-1])
    ended_well(grown, job)
    assert grown.site.nodes().keys() == {*FIRST, *LATER[:-1]}
    write(grown, *FIRST, *LATER[:-1])


def test_without_consent_nothing_is_removed(grown: Jobs) -> None:
    job = grown.run("remove", terminal=True, slipway_remove_cluster="another")
    assert (job.rc, job.status) == (2, "failed"), job.out
    assert "SLW-8430" in job.out
    assert grown.site.nodes().keys() == {*FIRST, *LATER[:-1]}
