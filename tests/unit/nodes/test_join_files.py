# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where user-data lies: for its owner alone, in a folder that nobody else can put anything into."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_data import Asked, Cluster, JoinData, read
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from ansible_collections.slipway.cluster.plugins.plugin_utils import join_files

HASH = "sha256:" + "0f" * 32


def data() -> JoinData:
    found, problems = read(Asked("w7", "192.0.2.7", HASH), Cluster("abcdef.0123456789abcdef", HASH, "192.0.2.10:6443"))
    assert found is not None, problems
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_users_folder(tmp_path: Path) -> None:
    folder = join_files.folder("deep/data", tmp_path)
    assert (folder.path, folder.kept, mode(folder.path)) == (tmp_path / "deep" / "data", True, 0o700)
    files = folder.write([data()], "cloud-init")
    assert files == {"w7": str(folder.path / "w7.yaml")}
    assert mode(folder.path / "w7.yaml") == 0o600
    assert [one.name for one in folder.path.iterdir()] == ["w7.yaml"]
    join_files.remove(str(folder.path))
    assert folder.path.exists(), "it is the user's"


def test_what_was_there_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    folder = join_files.folder("data", tmp_path)
    (folder.path / "w7.yaml").symlink_to(other)
    folder.write([data()], "cloud-init")
    assert other.read_text() == "theirs"
    assert not (folder.path / "w7.yaml").is_symlink()


def test_a_folder_of_the_runs_own() -> None:
    folder = join_files.folder("", Path("/nowhere"))
    assert (folder.kept, mode(folder.path)) == (False, 0o700)
    folder.write([data()], "ignition")
    join_files.remove(str(folder.path))
    assert not folder.path.exists()


@pytest.mark.parametrize("bits", [0o777, 0o770, 0o702])
def test_a_folder_that_others_can_write_in(tmp_path: Path, bits: int) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(bits)
    with pytest.raises(NodesError, match=r"SLW-8706.*others"):
        join_files.folder("data", tmp_path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(NodesError, match="SLW-8706"):
        join_files.folder("data", tmp_path)


def test_a_folder_that_goes_away(tmp_path: Path) -> None:
    folder = join_files.folder("data", tmp_path)
    folder.path.rmdir()
    with pytest.raises(NodesError, match="SLW-8706"):
        folder.write([data()], "ignition")


def test_only_folders_of_runs_are_removed(tmp_path: Path) -> None:
    (tmp_path / "slipway-join-x").mkdir()
    join_files.remove(str(tmp_path / "slipway-join-x"))
    assert (tmp_path / "slipway-join-x").exists()
