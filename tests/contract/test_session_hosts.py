# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which hosts a session logs in to: those that our authority has certified, whatever Ansible and ssh check."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import authority as lab_authority
from lab.hosts import log, manage
from lab.hosts.model import Host
from tests.contract.fixtures.session import CONFIG, CORES, NO_MASTER, PERSIST, Done, Project, Site, site, tasks

pytestmark = pytest.mark.lab
GOOD = ("checked-trusted-ed25519-1", "checked-trusted-ecdsa-1", "checked-trusted-rsa-1")
BAD = {
    "checked-rogue-ed25519-1": "has no certificate",
    "checked-foreign-ed25519-1": "which is no host CA of ours",
    "checked-trusted-ed25519-2": "is outside its validity",
}

UNCHECKED = '{"ansible_ssh_extra_args": "", "ansible_ssh_host_key_checking": false}'


@pytest.fixture(scope="module")
def place(lab_env: dict[str, Any]) -> Iterator[Site]:
    wanted = [("trusted", "ed25519", 2), ("trusted", "ecdsa", 1), ("trusted", "rsa", 1)]
    with site(lab_env, "checked", *wanted, ("rogue", "ed25519", 1), ("foreign", "ed25519", 1)) as made:
        _let_expire(made, made.hosts["checked-trusted-ed25519-2"])
        yield made


def _let_expire(place: Site, host: Host) -> None:
    """A host whose own renewal did not run: its certificate was good, and is not any more."""
    ssh = Path(host.folder) / "etc" / "ssh"
    key = (ssh / "ssh_host_ed25519_key.pub").read_text(encoding="utf-8")
    body = {"public_key": key, "valid_principals": host.name, "cert_type": "host", "ttl": "1s"}
    made = place.bao.root.need("POST", f"{lab_authority.HOSTS}/sign/{lab_authority.ROLE}", body)
    (ssh / "ssh_host_ed25519_key-cert.pub").write_text(made["data"]["signed_key"], encoding="utf-8")
    manage.order(host, "restart")
    time.sleep(2)


def host_ca(place: Site) -> str:
    return " ".join(str(place.bao.root.need("GET", f"{lab_authority.HOSTS}/public_key")).split()[:2])


def reached(done: Done) -> set[str]:
    """Hosts on which the only task was done."""
    return {line.split()[0] for line in done.text.splitlines() if " ok=1 " in line and "unreachable=0" in line}


@pytest.mark.parametrize("ssh", [PERSIST, NO_MASTER], ids=["masters", "none"])
def test_who_is_not_certified_is_refused_with_host_key_checking_off(place: Site, tmp_path: Path, ssh: str) -> None:
    """By the agent alone: what the session tells ssh is taken back. The authority for hosts is asked at OpenBao."""
    settings = place.ssh(host_check="enforce")
    projects = [
        Project(place, tmp_path / core, ssh=settings, config=CONFIG.format(ssh=ssh), core=core) for core in CORES
    ]
    for done in [run.wait() for run in [project.start(None, "-e", UNCHECKED) for project in projects]]:
        assert done.rc == 4
        assert reached(done) == set(GOOD), done.text
        for name, reason in BAD.items():
            said = done.line(f"fatal: [{name}]: UNREACHABLE!")
            assert "SLW-7201 host " in said
            assert reason in said
    assert all(not log.logins(place.hosts[name]) for name in ("checked-rogue-ed25519-1", "checked-foreign-ed25519-1"))


@pytest.mark.parametrize("written", [True, False], ids=["written", "asked"])
def test_ssh_itself_checks_too(place: Site, tmp_path: Path, written: bool) -> None:
    """In spite of ansible.cfg; its words hold no reason, so that the session adds one."""
    known = {"host_ca": host_ca(place)} if written else {}
    project = Project(place, tmp_path / "p", ssh=place.ssh(host_check="enforce", **known))
    done = project.run()
    assert done.rc == 4
    assert reached(done) == set(GOOD), done.text
    for name in BAD:
        assert "Host key verification failed" in done.line(f"fatal: [{name}]: UNREACHABLE!")
        assert done.line(f"[{name}]: ").startswith(f"[{name}]: SLW-7201 ssh does not believe this host")


def test_a_host_that_says_it_is_another(place: Site, tmp_path: Path) -> None:
    """With the host CA written, a host's certificate has to be for its name in the inventory."""
    project = Project(place, tmp_path / "p", ssh=place.ssh(host_check="enforce", host_ca=host_ca(place)))
    text = project.inventory.read_text(encoding="utf-8")
    right, wrong = place.hosts[GOOD[0]].address, place.hosts[GOOD[1]].address
    project.inventory.write_text(text.replace(f"{right}\n", f"{wrong}\n"), encoding="utf-8")
    done = project.run(None, "--limit", f"{GOOD[0]},{GOOD[1]}")
    assert reached(done) == {GOOD[1]}, done.text


def test_warn_logs_in_and_tells_at_the_end(place: Site, tmp_path: Path) -> None:
    done = Project(place, tmp_path / "p", ssh=place.ssh(host_check="warn")).run().ok()
    assert reached(done) == {*GOOD, *BAD}
    assert "SSH session: 3 host keys without a certificate of our host CA (host_check: warn)" in done.text
    lines = [line for line in done.text.splitlines() if line.startswith("  SLW-7201 host ")]
    assert len(lines) == len(BAD)
    assert all(any(reason in line for line in lines) for reason in BAD.values())


def test_off_looks_at_nobody(place: Site, tmp_path: Path) -> None:
    done = Project(place, tmp_path / "p", ssh=place.ssh(host_check="off")).run().ok()
    assert reached(done) == {*GOOD, *BAD}
    assert "SLW-72" not in done.text


def test_own_arguments_of_synchronize_do_not_help_a_rogue(place: Site, tmp_path: Path) -> None:
    """It calls ssh with these, before all of ours; no master of the run's is used."""
    project = Project(place, tmp_path / "p", ssh=place.ssh(host_check="enforce"))
    rsync = "ssh -S none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p {{ ansible_port }}"
    done = project.run(
        tasks(
            {
                "ansible.builtin.command": f"{rsync} slipway@{{{{ ansible_host }}}} hostname",
                "delegate_to": "localhost",
                "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            }
        )
    )
    assert done.rc == 2
    failed = [line for line in done.text.splitlines() if line.startswith("fatal:")]
    assert {line.split("[")[1].split(" -> ")[0] for line in failed} == set(BAD)
    assert all("agent refused operation" in line for line in failed)
    assert done.text.count("changed=1") == len(GOOD)


def test_a_rogue_bastion_is_refused_like_any_host(place: Site, tmp_path: Path) -> None:
    good, bastion = place.hosts[GOOD[0]], place.hosts["checked-rogue-ed25519-1"]
    project = Project(place, tmp_path / "p", good.name, ssh=place.ssh(host_check="enforce"))
    hop = f"ssh -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -W %h:%p -p {bastion.port}"
    through = f"-o ProxyCommand='{hop} slipway@{bastion.address}'"
    before = log.connections(good)
    done = project.run(None, "-e", f'{{"ansible_ssh_common_args": "{through}"}}')
    assert done.rc == 4
    said = done.line(f"[{good.name}]: ")
    assert said.startswith(f"[{good.name}]: on the way to this host: SLW-7201 host key ")
    assert "has no certificate" in said
    assert log.connections(good) == before
