# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files onto the disk: nothing is overwritten, nothing is half written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from ansible_collections.slipway.cluster.plugins.module_utils.stacks import writing
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.writing import compare, write

FOLDER = "inventories/prod"
OWN = {f"{FOLDER}/hosts.yml": "hosts\n", f"{FOLDER}/group_vars/all/a.yml": "a\n"}
AROUND = {"ansible.cfg": "cfg\n", "slipway/plan.yml": "plan\n"}


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def run(place: Path) -> list[str]:
    """As the action does it; what was written."""
    found = compare(place, FOLDER, OWN, AROUND)
    write(place, FOLDER, {path: {**AROUND, **OWN}[path] for path in found.missing})
    return sorted(found.missing)


def code(place: Path) -> str:
    before = content(place) if place.is_dir() else {}
    with pytest.raises(NodesError) as caught:
        run(place)
    assert (content(place) if place.is_dir() else {}) == before
    return caught.value.problems[0].code


def test_all_is_written_into_a_new_folder_and_the_second_time_nothing(tmp_path: Path) -> None:
    place = tmp_path / "some" / "project"
    assert run(place) == sorted([*OWN, *AROUND])
    assert content(place) == {**OWN, **AROUND}
    assert run(place) == []
    assert (place / FOLDER).stat().st_mode & 0o777 == (place / "slipway").stat().st_mode & 0o777


def test_another_cluster_joins_the_project(tmp_path: Path) -> None:
    (tmp_path / "inventories" / "other").mkdir(parents=True)
    (tmp_path / "inventories" / "other" / "hosts.yml").write_text("mine")
    (tmp_path / "ansible.cfg").write_text("mine")
    found = compare(tmp_path, FOLDER, OWN, AROUND)
    assert (found.kept, found.same) == (["ansible.cfg"], [])
    assert run(tmp_path) == sorted([*OWN, "slipway/plan.yml"])
    assert content(tmp_path)["ansible.cfg"] == "mine"
    assert content(tmp_path)["inventories/other/hosts.yml"] == "mine"


@pytest.mark.parametrize("told", ["differs", "is missing"])
def test_an_inventory_that_is_there_is_never_touched(tmp_path: Path, told: str) -> None:
    run(tmp_path)
    file = tmp_path / FOLDER / "hosts.yml"
    if told == "differs":
        file.write_text("of the user")
    else:
        file.unlink()
    (tmp_path / "ansible.cfg").unlink()
    with pytest.raises(NodesError) as caught:
        compare(tmp_path, FOLDER, OWN, AROUND)
    (problem,) = caught.value.problems
    assert (problem.code, f"{FOLDER}/hosts.yml {told}" in problem.message) == ("SLW-8915", True)
    assert code(tmp_path) == "SLW-8915"
    assert not (tmp_path / "ansible.cfg").exists(), "a run that is refused writes nothing at all"


def test_files_that_the_user_has_added_do_no_harm(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / FOLDER / "group_vars" / "all" / "mine.yml").write_text("mine")
    assert run(tmp_path) == []


def test_an_empty_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    assert run(tmp_path) == sorted([*OWN, *AROUND])


@pytest.mark.parametrize("file", ["", "inventories", FOLDER, "slipway"])
def test_a_file_where_a_folder_should_be(tmp_path: Path, file: str) -> None:
    place = tmp_path / "project"
    (place / file).parent.mkdir(parents=True, exist_ok=True)
    (place / file).write_text("mine")
    assert code(place) == "SLW-8916"


def test_a_dangling_link_is_in_the_way_too(tmp_path: Path) -> None:
    (tmp_path / "inventories").mkdir()
    (tmp_path / FOLDER).symlink_to(tmp_path / "nowhere")
    assert code(tmp_path) == "SLW-8916"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("at", range(1, 6))
def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """The disk gets full, at each step after another."""
    steps = 0

    def step(one: object) -> object:
        def limited(*args: object, **more: object) -> object:
            nonlocal steps
            steps += 1
            if steps == at:
                raise OSError(28, "No space left on device", str(tmp_path))
            return one(*args, **more)  # type: ignore[operator]

        return limited

    (tmp_path / "mine").write_text("mine")
    monkeypatch.setattr(writing.Path, "write_text", step(Path.write_text))
    monkeypatch.setattr(writing.Path, "rename", step(Path.rename))
    with pytest.raises(NodesError, match="No space left on device"):
        write(tmp_path, FOLDER, {**AROUND, **OWN})
    assert steps == at
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_that_comes_in_between_stays(tmp_path: Path) -> None:
    found = compare(tmp_path, FOLDER, OWN, AROUND)
    (tmp_path / "slipway").mkdir()
    (tmp_path / "slipway" / "plan.yml").write_text("mine")
    with pytest.raises(NodesError, match="SLW-8916"):
        write(tmp_path, FOLDER, {path: {**AROUND, **OWN}[path] for path in found.missing})
    assert content(tmp_path) == {"slipway/plan.yml": "mine"}


def test_a_folder_that_cannot_be_made() -> None:
    assert code(Path("/proc/slipway")) == "SLW-8916"
