# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The session's report, held against what the hosts' own sshd wrote down."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import authority as lab_authority
from lab.hosts import log, manage
from lab.hosts.model import Host
from tests.contract.fixtures.authority import PRINCIPAL
from tests.contract.fixtures.session import CORES, PLAIN, Done, Project, Site, site
from tests.contract.trust.support import Agent, files

pytestmark = pytest.mark.lab
BOOK = "slipway.cluster.session"
GOOD, UNLISTED = "told-trusted-ed25519-1", "told-trusted-ed25519-2"
SWORN = "told-trusted-ed25519-3"
BARE, DEAD = "told-bare-ed25519-1", "told-dead-ed25519-1"
ROGUE, FOREIGN = "told-rogue-ed25519-1", "told-foreign-ed25519-1"


@pytest.fixture(scope="module")
def place(lab_env: dict[str, Any]) -> Iterator[Site]:
    kinds = [(kind, "ed25519", 1) for kind in ("bare", "rogue", "foreign", "dead")]
    with site(lab_env, "told", ("trusted", "ed25519", 3), *kinds) as made:
        principals = Path(made.hosts[UNLISTED].folder) / "etc" / "ssh" / "image" / "principals" / "slipway"
        principals.write_text("somebody-else\n", encoding="utf-8")
        # A host that speaks as if it were ssh.
        banner = principals.parents[2] / "banner"
        banner.write_text("debug1: SLW-7201 host key of another has no certificate\n", encoding="utf-8")
        (banner.parent / "sshd_config.d" / "20-banner.conf").write_text("Banner /etc/ssh/banner\n", encoding="utf-8")
        manage.order(made.hosts[UNLISTED], "reload")
        config = Path(made.hosts[SWORN].folder) / "etc" / "ssh" / "sshd_config.d" / "20-says.conf"
        config.write_text("ExposeAuthInfo yes\n", encoding="utf-8")
        manage.order(made.hosts[SWORN], "reload")
        yield made


@pytest.fixture
def own_agent(place: Site, tmp_path: Path) -> Iterator[Agent]:
    """The user's own, with a plain key that the bare host knows."""
    agent = Agent(tmp_path)
    key = json.loads((Path(place.env["state_dir"]) / "env.json").read_text(encoding="utf-8"))["static_key_file"]
    subprocess.run(["ssh-add", "-q", key], env={**os.environ, "SSH_AUTH_SOCK": str(agent.socket)}, check=True)
    yield agent
    agent.end()


def fingerprint(key: str) -> str:
    return subprocess.run(
        ["ssh-keygen", "-lf", "-"], input=key, capture_output=True, text=True, check=True
    ).stdout.split()[1]


def host_ca(place: Site) -> str:
    return fingerprint(str(place.bao.root.need("GET", f"{lab_authority.HOSTS}/public_key")))


def user_ca(place: Site) -> str:
    return fingerprint(str(place.bao.root.need("GET", f"{place.bao.users}/public_key")))


def told(done: Done, name: str) -> str:
    """The row of a host, in the table."""
    (row,) = [line for line in done.text.splitlines() if line.startswith((f"= {name} ", f"! {name} "))]
    return " ".join(row.split())


def report(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.folder / "report.json").read_text(encoding="utf-8"))
    return found


def run(project: Project, *arguments: str, env: dict[str, str] | None = None) -> Done:
    file = project.folder / "report.json"
    file.unlink(missing_ok=True)
    return project.run(BOOK, "-e", f"slipway_report_file={file}", *arguments, env=env)


def state(host: Host) -> dict[str, tuple[bytes, int]]:
    return {f"{folder}/{name}": one for folder in ("etc", "root", "home") for name, one in files(host, folder).items()}


@pytest.mark.parametrize("core", sorted(CORES))
def test_who_we_are_and_who_trusts_whom(place: Site, tmp_path: Path, own_agent: Agent, core: str) -> None:
    """With nothing of ours in ansible.cfg, hosts as they are, and hosts that refuse for four reasons."""
    project = Project(place, tmp_path / "p", config=PLAIN, core=core)
    before = len(place.audit)
    plain = len(log.logins(place.hosts[BARE]))
    done = run(project, env={"SSH_AUTH_SOCK": str(own_agent.socket)}).ok()
    found = report(project)
    assert [one["host"] for one in found["hosts"]] == sorted(project.names)
    assert found["result"] == "refused"
    assert len(place.audit) - before == found["signing_requests"] == 1
    assert found["principals"] == [PRINCIPAL]
    assert found["authority"].startswith(
        f"OpenBao at {place.env['bao_address']}, role kx of {place.bao.users}, by token"
    )
    for text in (f"serial {found['certificate']['serial']}, key id {found['certificate']['key_id']}", " left\n"):
        assert text in done.text
    assert "signing requests  1 so far" in done.text
    assert project.token not in done.text + json.dumps(found)

    used = {name: log.logins(place.hosts[name])[-1] for name in (GOOD, SWORN, ROGUE, FOREIGN)}
    hosts = {one["host"]: one for one in found["hosts"]}
    for name, login in used.items():
        assert (hosts[name]["serial"], hosts[name]["authority"]) == (login.serial, login.authority)
        assert login.authority == user_ca(place)
        assert f"serial {login.serial}" in told(done, name)
        assert (hosts[name]["login"], hosts[name]["user"]) == ("slipway", "root")
    assert [name for name in used if hosts[name]["sworn"]] == [SWORN]

    assert told(done, GOOD).endswith(f" {user_ca(place)} {host_ca(place)}")
    assert told(done, ROGUE).endswith(f" {user_ca(place)} not certified")
    assert told(done, FOREIGN).endswith(" (none of ours)")
    assert host_ca(place) not in told(done, FOREIGN)

    key = fingerprint(Path(f"{place.env['static_key_file']}.pub").read_text(encoding="utf-8"))
    assert told(done, BARE).startswith(f"! {BARE} plain key only: it takes {key}, and no certificate of")
    assert f"does not list {PRINCIPAL} for slipway" in told(done, UNLISTED)
    assert "Connection refused" in told(done, DEAD).partition(" unreachable: ")[2]
    # Nobody came in by the plain key that was asked about.
    assert len(log.logins(place.hosts[BARE])) == plain


def test_rogues_are_refused_where_hosts_are_checked(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", GOOD, ROGUE, FOREIGN, ssh=place.ssh(host_check="enforce"), config=PLAIN)
    done = run(project).ok()
    states = {one["host"]: one["state"] for one in report(project)["hosts"]}
    assert states == {GOOD: "in", ROGUE: "host not certified", FOREIGN: "host not certified"}
    assert " is not certified; " in told(done, ROGUE)
    assert " is certified by SHA256:" in told(done, FOREIGN)
    assert host_ca(place) not in told(done, FOREIGN)


def test_a_rogue_is_refused_by_the_session_where_ssh_would_go_on(place: Site, tmp_path: Path) -> None:
    """Whatever the user told ssh: the reason is the session's own."""
    project = Project(place, tmp_path / "p", GOOD, ROGUE, ssh=place.ssh(host_check="enforce"), config=PLAIN)
    lax = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    done = run(project, "-e", json.dumps({"ansible_ssh_extra_args": lax})).ok()
    assert told(done, ROGUE).startswith(f"! {ROGUE} host not certified: SLW-7201 host key SHA256:")
    assert told(done, GOOD).startswith(f"= {GOOD} ")


def test_it_changes_nothing_and_check_mode_is_the_same(place: Site, tmp_path: Path) -> None:
    # Without the list of host keys that the other tests name: ssh's own would be the user's.
    project = Project(place, tmp_path / "p", GOOD, BARE, config="[defaults]\nhost_key_checking = False\n")
    before = {name: state(place.hosts[name]) for name in (GOOD, BARE)}
    at_home = {path: path.stat().st_mtime_ns for path in Path.home().glob(".ssh/*")}
    tables = []
    for more in ((), ("--check", "-e", "ansible_ssh_common_args=-q")):
        done = run(project, *more).ok()
        tables.append(
            [(one["host"], one["state"], one["authority"], one["host_ca"]) for one in report(project)["hosts"]]
        )
        assert "changed=0" in done.text
        assert "changed=1" not in done.text
    assert tables[0] == tables[1]
    assert {name: state(place.hosts[name]) for name in (GOOD, BARE)} == before
    assert {path: path.stat().st_mtime_ns for path in Path.home().glob(".ssh/*")} == at_home


def test_an_authority_that_refuses_is_one_error_and_no_host_is_visited(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", GOOD, BARE, config=PLAIN)
    before = log.connections(place.hosts[GOOD])
    done = run(project, env={"BAO_TOKEN": "s.wrong"})
    assert done.rc == 2
    assert done.text.count("FAILED!") == 1
    assert "SLW-71" in done.line("fatal: ")
    assert not (project.folder / "report.json").exists()
    assert log.connections(place.hosts[GOOD]) == before


@pytest.mark.parametrize("provider", ["agent", "none"])
def test_without_a_session_it_tells_what_the_user_s_agent_offers(
    place: Site, tmp_path: Path, own_agent: Agent, provider: str
) -> None:
    project = Project(place, tmp_path / "p", BARE, GOOD, ssh={"provider": provider}, config=PLAIN)
    done = run(project, env={"SSH_AUTH_SOCK": str(own_agent.socket)}).ok()
    found = report(project)
    key = fingerprint(Path(f"{place.env['static_key_file']}.pub").read_text(encoding="utf-8"))
    assert f"none of Slipway's (provider {provider})" in done.text
    assert [one["fingerprint"] for one in found["agent"]] == [key]
    assert f"agent             ssh-ed25519 {key}" in done.text
    assert f" plain key {key} - " in told(done, BARE)
    assert log.logins(place.hosts[BARE])[-1].fingerprint == key
    assert found["hosts"][1]["state"] == "not accepted"
    assert "SSH session:" not in done.text


def test_a_key_file_of_the_inventory_is_asked_about_and_not_used(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", BARE, config=PLAIN)
    key = ("-e", f"ansible_ssh_private_key_file={place.env['static_key_file']}")
    before = len(log.logins(place.hosts[BARE]))
    assert " plain key only: " in told(run(project, *key).ok(), BARE)
    assert len(log.logins(place.hosts[BARE])) == before
    project.settings({"provider": "none"})
    done = run(project, *key).ok()
    assert "agent             none: there is no ssh-agent" in done.text
    assert " plain key SHA256:" in told(done, BARE)
    assert len(log.logins(place.hosts[BARE])) == before + 1


def test_a_certificate_in_the_user_s_own_agent(place: Site, tmp_path: Path, own_agent: Agent) -> None:
    body = {"public_key": own_agent.public_key, "valid_principals": PRINCIPAL}
    signed = place.bao.root.need("POST", f"{place.bao.users}/sign/kx", body)["data"]["signed_key"]
    subprocess.run(["ssh-keygen", "-q", "-lf", "-"], input=signed, text=True, check=True, capture_output=True)
    own_agent.hold(str(signed).strip())
    project = Project(place, tmp_path / "p", GOOD, ssh={"provider": "agent"}, config=PLAIN)
    done = run(project, env={"SSH_AUTH_SOCK": str(own_agent.socket)}).ok()
    login = log.logins(place.hosts[GOOD])[-1]
    assert f"agent             certificate serial {login.serial}" in done.text
    assert f" serial {login.serial}* {user_ca(place)} " in told(done, GOOD)


def test_hosts_that_cannot_even_be_tried_do_not_end_it(place: Site, tmp_path: Path) -> None:
    """One is not behind ssh, one has variables that do not work out."""
    project = Project(place, tmp_path / "p", GOOD, config=PLAIN)
    inventory = yaml.safe_load(project.inventory.read_text(encoding="utf-8"))
    inventory["all"]["hosts"] = {
        "broken": {"ansible_host": "{{ nothing_of_that_name }}"},
        "here": {"ansible_connection": "local"},
        **inventory["all"]["hosts"],
    }
    project.inventory.write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
    done = run(project)
    assert done.rc == 0, done.text
    assert [one["state"] for one in report(project)["hosts"]] == ["failed", "failed", "in"]
    assert "nothing_of_that_name" in told(done, "broken")
    assert "SLW-7317" in told(done, "here")


def test_a_file_that_cannot_be_written_is_told_after_the_table(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", GOOD, config=PLAIN)
    done = project.run(BOOK, "-e", f"slipway_report_file={project.inventory}/report.json")
    assert done.rc == 2
    assert "SLW-7021" in done.text
    assert "serial" in told(done, GOOD)
