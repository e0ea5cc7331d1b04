# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Serve an AWX until the process is ended: ``python3 -m lab.awx FOLDER``."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from lab.awx.running import USER, Awx
from lab.awx.settings import Settings


def main() -> None:
    """Print how to reach it, as JSON, once it listens."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.awx", description=__doc__)
    parser.add_argument("folder", type=Path, help="where it keeps projects and jobs")
    parser.add_argument("--port", type=int, default=0, help="any free one when not given")
    parser.add_argument(
        "--collections", type=Path, action="append", help="folder of the execution environment's collections"
    )
    parser.add_argument("--programs", type=Path, action="append", default=[], help="folder of more programs for jobs")
    parser.add_argument("--visible", type=Path, action="append", default=[], help="what else jobs may read")
    parser.add_argument("--dump", type=Path, help="write everything that it holds there at the end")
    options = parser.parse_args()
    plain = Settings(options.folder.absolute())
    settings = Settings(
        plain.folder,
        tuple(options.collections or plain.collections),
        (*plain.programs, *options.programs),
        tuple(options.visible),
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Awx(settings, options.port) as awx:
        told = {"url": awx.url, "user": USER, "password": awx.password, "token": awx.token}
        print(json.dumps(told | {"projects": str(settings.projects)}), flush=True)
        ended.wait()
    if options.dump:
        options.dump.write_text(awx.dump(), encoding="utf-8")


if __name__ == "__main__":
    main()
