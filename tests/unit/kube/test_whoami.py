# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a run is called in a lock."""

from __future__ import annotations

import getpass
import socket

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.whoami import identity

AWX = "AWX_ISOLATED_DATA_DIR"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUDO_USER", "JOB_ID", AWX):
        monkeypatch.delenv(name, raising=False)


def test_a_user_at_a_machine() -> None:
    assert identity(22, "1a2b3c") == f"{getpass.getuser()}@{socket.gethostname()} pid 22 #1a2b3c"


def test_who_became_root_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    assert identity(22, "1a2b3c").startswith("alice@")


def test_a_number_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setattr("os.getuid", lambda: 1000680000)
    assert identity(22, "1a2b3c").startswith("1000680000@")


def test_a_job_of_awx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_ID", "4711")
    assert identity(22, "1a2b3c").startswith(f"{getpass.getuser()}@"), "others have a JOB_ID too"
    monkeypatch.setenv(AWX, "/runner/artifacts/4711")
    assert identity(22, "1a2b3c").startswith(f"AWX job 4711, {getpass.getuser()}@")
