# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The server: ``python3 -m lab.kubeadm --listen PORT --folder F``; for what it takes see :mod:`lab.kubeadm.orders`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.kubeadm.orders import Desk
from lab.serve import ControlHandler, Server


def handler(desk: Desk) -> type[ControlHandler]:
    """Make the handler that hosts speak to."""

    class Orders(ControlHandler):
        def order(self, method: str, path: str, query: dict[str, str], body: Any) -> object:
            if (method, path) != ("POST", "/"):
                raise KeyError(path)
            try:
                return desk.take(body)
            except LabError as error:
                # The program on the host ends with this text, as the real one does with its own.
                return {"rc": 1, "stderr": f"error execution phase {body['words'][0]}: {error}"}

    return Orders


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.kubeadm")
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    # It starts and ends processes of the lab, under the lab's lock: where that is, its environment does not say.
    os.environ["SLIPWAY_LAB_STATE"] = str(options.folder.parent)
    Server(options.listen, handler(Desk(options.folder))).serve_forever()


if __name__ == "__main__":
    main()
