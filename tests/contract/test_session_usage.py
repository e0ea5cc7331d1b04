# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Everything that people do with Ansible goes on as before, by certificate; and where no session is wanted, none is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.session import launch
from lab.hosts import log
from tests.contract.fixtures.session import CONFIG, CORES, NO_MASTER, PLAIN, Project, Site, site, tasks

pytestmark = pytest.mark.lab
ONE, TWO, BARE = "usage-trusted-ed25519-1", "usage-trusted-ed25519-2", "usage-bare-ed25519-1"


@pytest.fixture(scope="module")
def place(lab_env: dict[str, Any]) -> Iterator[Site]:
    with site(lab_env, "usage", ("trusted", "ed25519", 2), ("bare", "ed25519", 1)) as made:
        yield made


def bastion(place: Site) -> str:
    """As Kubespray writes it for a host behind one."""
    host = place.hosts[ONE]
    hop = f"ssh -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -W %h:%p -p {host.port}"
    return f"-o ProxyCommand='{hop} slipway@{host.address}'"


def daily(place: Site) -> list[dict[str, Any]]:
    """Transfer of files, rights, delegation, a task in the background, a wait for a connection, tags."""
    steps = [
        {"ansible.builtin.wait_for_connection": {"timeout": 30}},
        {"ansible.builtin.copy": {"content": "{{ inventory_hostname }}", "dest": "/root/who"}, "become": True},
        {"ansible.builtin.command": "cat /root/who", "become": True, "register": "who"},
        {"ansible.builtin.fetch": {"src": "/root/who", "dest": "fetched/"}, "become": True},
        {"ansible.builtin.command": "hostname", "delegate_to": ONE, "register": "there"},
        {"ansible.builtin.command": "sleep 1", "async": 20, "poll": 1},
        {
            "ansible.builtin.assert": {
                "that": ["who.stdout == inventory_hostname", f"there.stdout == '{ONE}'"],
                "quiet": True,
            }
        },
        {"ansible.builtin.raw": "touch /root/tagged", "tags": ["marked"]},
    ]
    return tasks(*steps, hosts=TWO, vars={"ansible_ssh_common_args": bastion(place)})


@pytest.mark.parametrize("core", sorted(CORES))
def test_what_people_do_every_day_over_a_bastion(place: Site, tmp_path: Path, core: str) -> None:
    """The delegated host and the bastion are not in the limit; host certificates are enforced on every hop."""
    project = Project(place, tmp_path / "p", ONE, TWO, ssh=place.ssh(host_check="enforce"), core=core)
    before = len(log.logins(place.hosts[ONE]))
    done = project.run(daily(place), "--limit", TWO).ok()
    assert "1 certificate of OpenBao at" in done.summary
    assert len(log.logins(place.hosts[ONE])) > before
    assert (tmp_path / "p" / "fetched" / TWO / "root" / "who").read_text(encoding="utf-8") == TWO
    for host in (ONE, TWO):
        assert {login.key_type for login in log.logins(place.hosts[host])} == {"ED25519-CERT"}


def test_tags_and_no_masters(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE, TWO, config=CONFIG.format(ssh=NO_MASTER))
    done = project.run(daily(place), "--tags", "marked").ok()
    assert done.text.count("TASK [") == 1
    assert ", 1 signing request, " in done.summary


def test_the_longest_folder_for_folders_has_room_for_control_sockets(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE)
    longest = project.runtime / ("x" * (launch._LONGEST_PATH - len(str(project.runtime)) - 1))
    longest.mkdir()
    seen = tasks({"ansible.builtin.raw": "hostname"}, {"ansible.builtin.command": "ls {{ ansible_control_path_dir }}"})
    seen[0]["tasks"][1] |= {"delegate_to": "localhost", "vars": {"ansible_connection": "local"}, "register": "masters"}
    seen[0]["tasks"].append({"ansible.builtin.debug": {"msg": "masters: {{ masters.stdout_lines | length }}"}})
    done = project.run(seen, env={"XDG_RUNTIME_DIR": str(longest)}).ok()
    assert '"masters: 1"' in done.text


def test_ad_hoc(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE)
    before = len(place.audit)
    done = project.launch("ansible", "all", "-m", "ansible.builtin.ping").wait().ok()
    assert '"ping": "pong"' in done.text
    assert len(place.audit) - before == 1
    project.has_ended()


def importing(project: Project) -> str:
    """A user's own playbook, which imports one of ours; what that does is not wanted here."""
    site_file = project.folder / "site.yml"
    ours = {"ansible.builtin.import_playbook": "slipway.cluster.addons", "when": False}
    plays = [*tasks({"ansible.builtin.raw": "hostname"}), ours]
    site_file.write_text(yaml.safe_dump(plays), encoding="utf-8")
    return str(site_file)


@pytest.mark.parametrize("core", sorted(CORES))
def test_a_playbook_that_imports_ours_needs_no_settings_of_ansible(place: Site, tmp_path: Path, core: str) -> None:
    """The plugins that lie beside our playbooks load by themselves."""
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(host_check="enforce"), config=PLAIN, core=core)
    extra = ["-e", "slipway_variables_from=" + ONE]
    assert ", 1 signing request, " in project.run(importing(project), *extra).ok().summary


def test_both_ways_to_load_it_are_one_session(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE)
    before = len(place.audit)
    done = project.run(importing(project), "-e", "slipway_variables_from=" + ONE).ok()
    assert ", 1 signing request, " in done.summary
    assert len(place.audit) - before == 1


def test_without_any_of_it_there_is_no_session(place: Site, tmp_path: Path) -> None:
    """The counter-check: the same playbook, and nothing that loads the plugin."""
    project = Project(place, tmp_path / "p", ONE, config=PLAIN)
    done = project.run()
    assert done.rc == 4
    assert "Permission denied (publickey)" in done.text
    assert "SSH session" not in done.text


def test_ansible_runner_without_a_terminal(place: Site, tmp_path: Path) -> None:
    """In AWX's layout; what is left of the run holds no key and no token."""
    runner = Path(sys.executable).parent / "ansible-runner"
    project = Project(place, tmp_path / "project", ONE, config=PLAIN)
    importing(project)
    folder = tmp_path / "private"
    for name in ("inventory", "env"):
        (folder / name).mkdir(parents=True)
    (folder / "project").symlink_to(project.folder)
    (folder / "inventory" / "hosts.yml").symlink_to(project.inventory)
    (folder / "inventory" / "group_vars").symlink_to(project.folder / "group_vars")
    (folder / "env" / "extravars").write_text(json.dumps({"slipway_variables_from": ONE}), encoding="utf-8")
    done = subprocess.run(
        [runner, "run", folder, "-p", "site.yml"],
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 1 signing request, " in done.stdout
    held = [file for file in (folder / "artifacts").rglob("*") if file.is_file() and holds(file, project.token)]
    # ansible-runner itself writes the environment that it was given into this one.
    assert {file.name for file in held} <= {"command"}
    project.has_ended()


def holds(file: Path, token: str) -> bool:
    data = file.read_bytes()
    return token.encode() in data or b"PRIVATE KEY" in data


@pytest.fixture
def own_agent(place: Site, tmp_path: Path) -> Iterator[str]:
    """The user's own ssh-agent, with a plain key in it."""
    address = str(tmp_path / "agent")
    with subprocess.Popen(["ssh-agent", "-D", "-a", address], stdout=subprocess.DEVNULL) as process:
        while not Path(address).exists():
            assert process.poll() is None
        key = json.loads((Path(place.env["state_dir"]) / "env.json").read_text(encoding="utf-8"))["static_key_file"]
        adding = {**os.environ, "SSH_AUTH_SOCK": address}
        subprocess.run(["ssh-add", "-q", key], env=adding, check=True)
        yield address
        process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("ssh", [None, {"provider": "none"}, {"provider": "agent"}], ids=["unset", "none", "agent"])
def test_a_plain_key_in_the_user_s_own_agent(
    place: Site, tmp_path: Path, own_agent: str, ssh: dict[str, Any] | None
) -> None:
    project = Project(place, tmp_path / "p", BARE)
    project.settings(ssh)
    done = project.run(env={"SSH_AUTH_SOCK": own_agent}).ok()
    assert "SSH session" not in done.text
    assert log.logins(place.hosts[BARE])[-1].key_type == "ED25519"


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("ansible-inventory", ["--list"]),
        ("ansible-inventory", ["--graph", "--vars"]),
        ("ansible", ["all", "--list-hosts"]),
        ("ansible-playbook", ["play.yml", "--list-hosts"]),
        ("ansible-playbook", ["play.yml", "--list-tasks"]),
        ("ansible-playbook", ["play.yml", "--list-tags"]),
        ("ansible-playbook", ["play.yml", "--syntax-check"]),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1].lstrip("-"),
)
def test_listings_start_nothing_and_ask_nobody(place: Site, tmp_path: Path, program: str, arguments: list[str]) -> None:
    """A session begins with a folder in the runtime folder; a token that nobody takes would be an error there."""
    project = Project(place, tmp_path / "p", ONE)
    project.playbook()
    before, asked = project.runtime.stat().st_mtime_ns, len(place.audit)
    done = project.launch(program, *arguments, env={"BAO_TOKEN": ""}).wait().ok()
    assert ONE in done.text or "play" in done.text
    assert "SLW-" not in done.text
    assert project.runtime.stat().st_mtime_ns == before
    assert len(place.audit) == asked


def test_what_is_wrong_in_the_settings_is_told_with_its_place(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(ttl="1s", host_chek="enforce"))
    done = project.run()
    assert done.rc != 0
    assert "SLW-7001 slipway_ssh cannot be used:" in done.text
    assert "slipway_ssh.ttl: '1s' is no time between 30s and 24h" in done.text
    assert "did you mean 'host_check'?" in done.text
    assert "access.yml:" in done.text
    assert "TASK [" not in done.text
