# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A credential that is renewed before it ends: once, by whoever notices, and nobody waits for it who need not."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube import memory_file, sessions
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import Access
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import AccessError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.sessions import Sessions


def access(again: Callable[[], Access], **more: float) -> Access:
    return Access(server="https://127.0.0.1:1", token="one", again=again, **more)  # type: ignore[arg-type]


def opened(one: Access) -> Sessions:
    return Sessions(one, user_agent="test", connections=1)


def test_it_is_renewed_once_when_it_is_time() -> None:
    asked = []

    def again() -> Access:
        asked.append(1)
        return Access(server="https://elsewhere", token="two", renew_at=math.inf)

    found = opened(access(again, renew_at=time.monotonic() - 1))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: found.current, range(32)))
    assert asked == [1]
    assert found.current.headers["Authorization"] == "Bearer two"
    # The address is the one that was given.
    assert found.current.access.server == "https://127.0.0.1:1"


def test_before_its_time_nobody_is_asked() -> None:
    def again() -> Access:
        raise AssertionError("asked too early")

    assert opened(access(again, renew_at=time.monotonic() + 60)).current.access.token == "one"
    assert opened(access(again)).current.access.token == "one"


def test_others_go_on_while_one_renews() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def again() -> Access:
        begun.set()
        assert go_on.wait(10)
        return replace(Access(server="", token="two"), renew_at=math.inf)

    found = opened(access(again, renew_at=time.monotonic() - 1))
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(lambda: found.current)
        assert begun.wait(10)
        assert found.current.access.token == "one"
        go_on.set()
        assert renewing.result().access.token == "two"


def test_what_cannot_be_renewed_yet_is_used_on_and_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def again() -> Access:
        asked.append(1)
        raise AccessError("SLW-7403", "cp1 cannot be asked")

    found = opened(access(again, renew_at=time.monotonic() - 1))
    assert [found.current.access.token for look in range(5)] == ["one"] * 5
    assert asked == [1]
    monkeypatch.setattr(sessions, "EARLY_RETRY", 0.0)
    found._postponed = 0.0
    assert [found.current.access.token for look in range(3)] == ["one"] * 3
    assert asked == [1] * 4


@pytest.mark.parametrize("old", [False, True], ids=["memfd", "shm"])
def test_keys_are_read_from_memory(old: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if old:
        monkeypatch.delattr("os.memfd_create")
    with memory_file.memory_file(b"key") as path:
        assert Path(path).read_bytes() == b"key"
        assert str(Path(path).readlink()).startswith("/dev/shm/" if old else "/memfd:")
        assert str(Path(path).readlink()).endswith(" (deleted)")
        assert Path(path).stat().st_mode & 0o777 == 0o600
    assert not Path(path).exists()
