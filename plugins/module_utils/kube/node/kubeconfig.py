# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The API server as a kubeconfig on this host names it, which may be a node without PyYAML."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..access import Access, from_kubeconfig, parse_yaml
from ..errors import AccessError


def access_of(path: str, context: str = "", kubectl: str = "") -> Access:
    """``kubectl``: the program to read the file with where Python cannot. Raises ``AccessError`` SLW-7402."""
    file = Path(path).expanduser()
    try:
        file.open("rb").close()
    except FileNotFoundError as exc:
        raise AccessError("SLW-7402", f"there is no {file} on this host", "is it a control plane node?") from exc
    except OSError as exc:
        raise AccessError("SLW-7402", f"{file} cannot be read: {exc.strerror}", "let the task become root") from exc
    parse = parse_yaml if find_spec("yaml") else partial(_by_kubectl, kubectl)
    return from_kubeconfig(file, context, parse)


def _by_kubectl(kubectl: str, path: Path) -> Any:
    if not kubectl:
        raise AccessError(
            "SLW-7402", f"nothing here reads {path}: neither PyYAML nor kubectl is installed", "install one of them"
        )
    command = [kubectl, "config", "view", "--raw", "--output", "json", "--kubeconfig", str(path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    if done.returncode:
        # Never the output: it may quote the file.
        raise AccessError("SLW-7402", f"{kubectl} cannot read {path}: exit status {done.returncode}")
    return json.loads(done.stdout)
