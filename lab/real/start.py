# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python3 -m lab.real.start FOLDER BASE NAME FILE``: a machine that is a copy of an image starts with its user-data.

What stands for a hypervisor and for cloud-init: the files of the user-data are there when the machine boots, and it has
its name. Nothing logs in to it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lab.errors import LabError
from lab.kubeadm import user_data
from lab.real import machine, model

STARTED = "{}.started"
"""File of the run whose time is when the machine was started."""


def boot(folder: Path, base: Path, name: str, text: str) -> None:
    """Write the files of the user-data, and start the machine.

    :raises LabError: when there is no such run, or the machine does not start.
    """
    run = model.load(folder)
    if run is None:
        raise LabError(f"{folder} holds no run")
    host = next(one for one in model.hosts(1, model.WORKERS) if one.name == name)
    told = user_data.read(text)
    root = run.root(name)
    for path, (content, mode) in told.files.items():
        target = root / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode)
        target.chmod(mode)
        target.write_text(content)
    (root / "etc/hostname").write_text(f"{told.hostname}\n")
    (folder / STARTED.format(name)).touch()
    machine.start(run, host, base)


def main() -> int:
    """Carry out one order."""
    folder, base, name, file = sys.argv[1:]
    try:
        boot(Path(folder), Path(base), name, Path(file).read_text())
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
