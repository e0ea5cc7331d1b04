# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where the hosts' sshd comes from: the machine, else its distribution; and what is said when neither has one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lab import cache, debs, sshd
from lab.errors import LabError
from lab.hosts.making import _hint


def quiet(_line: str) -> None:
    """Nobody reads along."""


@pytest.fixture
def no_sshd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without sshd, and with an empty cache."""
    monkeypatch.setattr(sshd, "PLACES", str(tmp_path))
    monkeypatch.setenv("SLIPWAY_LAB_CACHE", str(tmp_path / "cache"))


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_machines_own_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "sshd", "echo 'unknown option -- V\nOpenSSH_10.2p1 Debian-1, OpenSSL 3.5' >&2; exit 1")
    program(tmp_path / "sftp-server", "")
    monkeypatch.setattr(sshd, "PLACES", str(tmp_path))
    monkeypatch.setattr(sshd, "SFTP", ("/nowhere", str(tmp_path / "sftp-server")))
    found = sshd.find(quiet)
    assert (found.program, found.sftp, found.tree) == (str(tmp_path / "sshd"), str(tmp_path / "sftp-server"), None)
    assert found.version == (10, 2)
    assert found.where == found.program


def test_one_that_does_not_start_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "sshd", "echo 'libwrap.so.0: cannot open shared object file' >&2; exit 127")
    monkeypatch.setattr(sshd, "PLACES", str(tmp_path))
    monkeypatch.setattr(sshd, "SFTP", (str(tmp_path / "sshd"),))
    with pytest.raises(LabError, match=r"(?s)sshd does not start: install it .*libwrap\.so\.0"):
        sshd.find(quiet)


@pytest.mark.usefixtures("no_sshd")
def test_without_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"(?s)no sshd, .*: install it .on Debian: apt install.*there is no apt-get"):
        sshd.find(quiet)


@pytest.mark.usefixtures("no_sshd")
def test_when_fetching_fails_it_says_what_apt_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "apt-get", "echo 'E: Failed to fetch: no network' >&2; exit 100")
    program(tmp_path / "bin" / "dpkg-deb", "")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.defpath}")
    with pytest.raises(LabError, match=r"(?s)could not be fetched: install it .*apt-get said: E: Failed to fetch"):
        sshd.find(quiet)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="no Debian: nothing to fetch sshd with")
def test_apt_is_kept_from_the_systems_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As apt itself understands the settings that it is given."""
    seen: list[list[str]] = []
    monkeypatch.setattr(debs, "run", seen.append)
    debs._download(sshd.PACKAGES, tmp_path)
    update, install = seen
    assert update[-1] == "update"
    assert install[-len(sshd.PACKAGES) - 1 :] == ["install", *sshd.PACKAGES]
    assert "--download-only" in install
    options = [word for word in update if word.startswith(("-o", "--config-file="))]
    told = subprocess.run(["apt-config", *options, "dump"], capture_output=True, text=True, check=True).stdout
    assert f'Dir::State "{tmp_path}/state";' in told
    assert f'Dir::Cache "{tmp_path}/cache";' in told
    assert not re.search("^APT::Update::(Pre|Post)-Invoke(-Success)?::", told, re.MULTILINE)


@pytest.mark.lab
def test_the_unpacked_packages_are_written_down() -> None:
    found = sshd.find(quiet)
    if found.tree is not None:
        noted = json.loads((found.tree / "packages.json").read_text())
        assert any(name.startswith("openssh-server_") for name in noted)
        assert all(len(digest) == 64 for digest in noted.values())
        assert cache.intact(found.tree, ("usr/sbin/sshd", "usr/lib/openssh/sftp-server"))
    assert Path(found.where).is_file()


def test_who_may_not_make_namespaces_is_told_what_it_takes() -> None:
    assert "user namespaces" in _hint("unshare: Operation not permitted")
    assert _hint("sshd ended; its log says why") == ""
