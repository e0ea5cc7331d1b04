# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An authority that does not sign: one clear message each time, and what can go on goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.hosts import manage
from tests.contract.fixtures.authority import wrapped
from tests.contract.fixtures.session import CORES, Done, Project, Site, silent, site, tasks
from tests.contract.runner import rule
from tests.contract.support import eventually

pytestmark = pytest.mark.lab
ONE, TWO, BARE = "faults-trusted-ed25519-1", "faults-trusted-ed25519-2", "faults-bare-ed25519-1"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def place(lab_env: dict[str, Any]) -> Iterator[Site]:
    with site(lab_env, "faults", ("trusted", "ed25519", 2), ("bare", "ed25519", 1)) as made:
        yield made


def disturbed(place: Site, **order: Any) -> Any:
    """An order to the fault proxy about requests to sign of this file alone."""
    return rule({"proxy_control": place.env["bao_proxy_control"]}, path=f"{place.bao.users}/sign", **order)


def refused_before_the_first_task(done: Done, code: str, *words: str) -> None:
    assert done.rc != 0
    assert "TASK [" not in done.text
    said = [line for line in done.text.splitlines() if code in line]
    assert len(said) == 1, done.text
    assert "Traceback" not in done.text
    for word in words:
        assert word in said[0]


@pytest.mark.parametrize("core", sorted(CORES))
def test_nobody_answers_before_the_start(place: Site, tmp_path: Path, core: str) -> None:
    settings = place.ssh(bao={"address": NOBODY}, patience=1)
    done = Project(place, tmp_path / "p", ONE, ssh=settings, core=core).run()
    refused_before_the_first_task(done, "SLW-7101", f"OpenBao at {NOBODY} does not answer: Connection refused")
    assert done.rc == 1


def test_who_contacts_no_host_needs_no_authority(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(bao={"address": NOBODY}, patience=1))
    local = tasks({"ansible.builtin.debug": {"msg": "done without"}}, hosts="localhost", connection="local")
    assert "done without" in project.run(local).ok().text


def test_an_authority_that_comes_back_in_time(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(bao=place.proxied()))
    with disturbed(place, reset="before", times=2):
        assert "1 certificate of OpenBao" in (summary := project.run().ok().summary)
    assert ", 3 signing requests, " in summary


def test_a_slow_authority(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(bao=place.proxied()))
    with disturbed(place, delay=3.0):
        assert ", 1 signing request, " in project.run().ok().summary


def test_an_authority_that_is_too_slow(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(bao={**place.proxied(), "timeout": 1}, patience=0))
    with disturbed(place, delay=3.0):
        refused_before_the_first_task(project.run(), "SLW-7101", "no answer within 1")


@pytest.mark.alone
def test_a_sealed_authority(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(patience=1))
    project.environment()
    place.bao.root.seal()
    try:
        done = project.run()
    finally:
        place.bao.root.unseal(Path(place.env["bao_unseal_key_file"]).read_text(encoding="utf-8").strip())
    refused_before_the_first_task(done, "SLW-7103", "is sealed and signs nothing")
    project.run().ok()


def test_503_in_its_words(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(bao=place.proxied(), patience=0))
    with disturbed(place, status=503):
        refused_before_the_first_task(project.run(), "SLW-7103", "is sealed and signs nothing")


def test_a_clock_that_is_five_minutes_ahead(place: Site, tmp_path: Path) -> None:
    """As the authority's answers tell it: the run goes on, and people hear of it."""
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(bao=place.proxied(), ttl="10m"))
    with disturbed(place, clock=300.0):
        done = project.run().ok()
    said = [line for line in done.text.splitlines() if "s ahead of this controller's" in line]
    assert len(said) == 1, done.text
    assert "hosts that agree with the controller may refuse its certificates" in said[0]


def test_a_wrapping_token_that_somebody_used_before(place: Site, tmp_path: Path) -> None:
    made = wrapped(place.bao, "auth/token/create", {"policies": [place.bao.name]})
    thief = type(place.bao.root)(place.bao.root.address, made["token"])
    thief.need("POST", "sys/wrapping/unwrap")
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh({"method": "wrapped_token"}))
    done = project.run(env={"BAO_TOKEN": "", "SLIPWAY_WRAPPED_TOKEN": made["token"]})
    refused_before_the_first_task(done, "SLW-7112", "possible theft", "used before by somebody else")
    assert made["token"] not in done.text


def test_a_wrapping_token_serves_once(place: Site, tmp_path: Path) -> None:
    token = wrapped(place.bao, "auth/token/create", {"policies": [place.bao.name]})["token"]
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh({"method": "wrapped_token"}))
    given = {"BAO_TOKEN": "", "SLIPWAY_WRAPPED_TOKEN": token}
    assert ", 1 signing request, " in project.run(env=given).ok().summary
    refused_before_the_first_task(project.run(env=given), "SLW-7112", "possible theft")


def test_a_principal_that_the_role_does_not_allow(place: Site, tmp_path: Path) -> None:
    done = Project(place, tmp_path / "p", ONE, ssh=place.ssh(principals=["root"])).run()
    refused_before_the_first_task(done, "SLW-7121", "does not sign for the principal root")


def test_a_life_above_the_maximum(place: Site, tmp_path: Path) -> None:
    done = Project(place, tmp_path / "p", ONE, ssh=place.ssh(ttl="1h")).run()
    refused_before_the_first_task(done, "SLW-7122", "3600 s is longer than role kx", "900 s")


def test_a_token_that_was_revoked(place: Site, tmp_path: Path) -> None:
    project = Project(place, tmp_path / "p", ONE)
    project.environment()
    place.bao.root.need("POST", "auth/token/revoke", {"token": project.token})
    refused_before_the_first_task(project.run(), "SLW-7111", "it has ended, was revoked, or is another server's")


def test_no_token_at_all(place: Site, tmp_path: Path) -> None:
    done = Project(place, tmp_path / "p", ONE).run(env={"BAO_TOKEN": ""})
    refused_before_the_first_task(done, "SLW-7041", "BAO_TOKEN")


def test_a_host_that_does_not_trust_our_authority(place: Site, tmp_path: Path) -> None:
    """The certificate is good: the line beside the host says what to look at."""
    done = Project(place, tmp_path / "p", ONE, BARE).run()
    assert done.rc == 4
    said = [line for line in done.text.splitlines() if line.startswith(f"[{BARE}]: ")]
    assert len(said) == 1, done.text
    assert "the session has a certificate for kx-a, serial " in said[0]
    assert "does the host trust its authority, and list the principal?" in said[0]


WAITING = tasks(
    {"name": "first", "ansible.builtin.raw": "hostname"},
    {"name": "until the certificate has ended", "ansible.builtin.pause": {"seconds": 33}},
    {"name": "second", "ansible.builtin.raw": "hostname"},
)


def test_an_authority_that_is_lost_in_the_middle(place: Site, tmp_path: Path) -> None:
    """Side by side, because a certificate has to end: gone, token revoked with AppRole, token revoked without."""
    gone = Project(place, tmp_path / "gone", ONE, TWO, ssh=place.ssh(bao=place.proxied(), ttl="30s", patience=1))
    plain = Project(place, tmp_path / "plain", ONE, TWO, ssh=place.ssh(ttl="30s", patience=1))
    method, secret = place.approle()
    again = Project(place, tmp_path / "again", ONE, TWO, ssh=place.ssh(method, ttl="30s"))
    runs = [gone.start(WAITING), plain.start(WAITING), again.start(WAITING, env=secret)]
    for run in runs:
        run.says("TASK [until")
    # The first host keeps its connections; those of the second are lost, and it has to be logged in to again.
    manage.power(place.env["name"], TWO, "cycle", say=silent)
    (own,) = place.logged_in()
    place.bao.root.need("POST", "auth/token/revoke-accessor", {"accessor": own})
    place.bao.root.need("POST", "auth/token/revoke", {"token": plain.token})
    with disturbed(place, credential=gone.token, reset="before"):
        lost, refused, renewed = [run.wait() for run in runs]
    for done, code in ((lost, "SLW-7101"), (refused, "SLW-7111")):
        assert done.rc == 4
        assert f"{ONE} : ok=3" in " ".join(done.text.split()), done.text
        said = [line for line in done.text.splitlines() if line.startswith(f"[{TWO}]: ")]
        assert len(said) == 1, done.text
        assert said[0].startswith(f"[{TWO}]: {code} OpenBao at ")
    renewed.ok()
    assert "2 certificates of OpenBao" in renewed.summary
    eventually(lambda: not place.logged_in())
