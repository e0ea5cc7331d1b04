# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Calling Helm, 3 or 4: one process a chart, nothing of the user's configuration, no value on a command line."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import RenderError
from . import process
from .codes import BAD_VALUES, HELM_FAILED, LOOKUP_BLOCKED, TOOL_MISSING

_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_NOISE = re.compile(r"^(?:Use --debug flag .*|helm\.go:\d+:.*|WARNING: .*|level=\w+ .*)$", re.MULTILINE)
_REFUSED = "is forbidden: User"
_API_MISSING = re.compile(r"no matches for kind|ensure CRDs are installed first")
# Characters that are fine in JSON but fold, or are refused, when read as YAML.
_YAML_HOSTILE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class LookupRefusedError(RenderError):
    """A chart looks at what a reader may not see."""


@dataclass(frozen=True)
class ServerAccess:
    """The cluster, for charts that look into it: a kubeconfig, or address, token and CA file."""

    url: str = ""
    token: str = field(default="", repr=False)
    ca_file: str = ""
    kubeconfig: str = ""
    context: str = ""
    server_name: str = ""
    current_token: Callable[[], str] | None = None
    """For a token that is renewed while a run lasts."""
    reader: bool = False
    """Whether this credential may only read what is installed, and a plan has to do with that."""

    def environment(self) -> dict[str, str]:
        """Helm's variables: the token is in no argument and in no file."""
        pairs = {
            "KUBECONFIG": self.kubeconfig,
            "HELM_KUBECONTEXT": self.context,
            "HELM_KUBEAPISERVER": self.url,
            "HELM_KUBETOKEN": self.current_token() if self.current_token else self.token,
            "HELM_KUBECAFILE": self.ca_file,
            "HELM_KUBETLS_SERVER_NAME": self.server_name,
        }
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True)
class TemplateRequest:
    """What ``helm template`` is asked. ``chart`` is an absolute path; ``server`` makes ``lookup`` see the cluster."""

    release: str
    namespace: str
    chart: str
    values: Mapping[str, Any]
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    is_upgrade: bool = False
    server: ServerAccess | None = None


@dataclass(frozen=True)
class Helm:
    """A Helm program. ``home`` is a folder for Helm's own files; it holds nothing but caches."""

    binary: str
    home: Path
    timeout: float = process.DEFAULT_TIMEOUT

    @property
    def major(self) -> int:
        """3 or 4. Raises RenderError SLW-2008."""
        return _major(self.binary)

    def template(self, request: TemplateRequest) -> str:
        """The rendered text, CRDs first. Raises RenderError SLW-2007 to SLW-2011."""
        argv = [self.binary, "template", "--namespace", request.namespace, "--include-crds", "--values", "-"]
        if request.kube_version:
            argv += ["--kube-version", request.kube_version]
        if request.api_versions:
            argv += ["--api-versions", ",".join(request.api_versions)]
        if request.is_upgrade:
            argv.append("--is-upgrade")
        if request.server is not None:
            argv.append("--dry-run=server")
            if self.major > 3:
                # Helm 4 would judge ownership and check against the cluster: both are the engine's part.
                argv += ["--take-ownership", "--disable-openapi-validation"]
        argv += ["--", request.release, request.chart]
        env = self.environment(request.server.environment() if request.server else {})
        try:
            return process.run(argv, env, stdin=encode_values(request.values), timeout=self.timeout)
        except process.ProgramError as err:
            text = clean_message(err.text)
            if request.server is not None and request.server.reader and _REFUSED in text:
                raise LookupRefusedError(HELM_FAILED, text) from None
            if request.server is not None and _API_MISSING.search(text):
                raise RenderError(LOOKUP_BLOCKED, text, "it can be rendered once its CRDs are on the cluster") from None
            raise RenderError(HELM_FAILED, text) from None

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        home = str(self.home)
        own = {
            "HOME": home,
            "HELM_CACHE_HOME": f"{home}/cache",
            "HELM_CONFIG_HOME": f"{home}/config",
            "HELM_DATA_HOME": f"{home}/data",
            "HELM_PLUGINS": f"{home}/no-plugins",
            "HELM_NO_PLUGINS": "1",
        }
        return process.clean_environment({**own, **extra}, also=process.PROXY_VARIABLES if extra else ())


@functools.lru_cache(maxsize=8)
def _major(binary: str) -> int:
    try:
        text = process.run([binary, "version", "--short"], process.clean_environment({"HELM_NO_PLUGINS": "1"}))
    except process.ProgramError as err:
        raise RenderError(TOOL_MISSING, f"{binary} does not tell its version: {err.text}") from None
    found = _VERSION.search(text)
    if found is None:
        raise RenderError(TOOL_MISSING, f"{binary} is no Helm: it calls itself {text.strip()!r}")
    return int(found[1])


def encode_values(values: Mapping[str, Any]) -> bytes:
    """Values as JSON that reads the same as YAML. Raises RenderError SLW-2011."""
    try:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
        return _YAML_HOSTILE.sub(lambda char: f"\\u{ord(char[0]):04x}", text).encode()
    except (TypeError, ValueError) as err:
        raise RenderError(BAD_VALUES, f"the values are no JSON: {type(err).__name__}") from None


def clean_message(text: str) -> str:
    """Helm's error without its log lines and its advice to call Helm again."""
    error = re.search(r"^Error: ", text, re.MULTILINE)
    lines = _NOISE.sub("", text[error.end() :] if error else text).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip()) or "Helm failed without a message"
