# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Codes of the errors that sources raise. Each has a page under ``docs/errors``."""

from __future__ import annotations

VALUES_REFUSED = "SLW-1310"

BAD_YAML = "SLW-2001"
BAD_OBJECT = "SLW-2002"
DUPLICATE_OBJECT = "SLW-2003"
NO_SOURCE = "SLW-2004"
BAD_CHART = "SLW-2005"
MISSING_DEPENDENCY = "SLW-2006"
HELM_FAILED = "SLW-2007"
TOOL_MISSING = "SLW-2008"
TOOL_TIMEOUT = "SLW-2009"
LOOKUP_BLOCKED = "SLW-2010"
BAD_VALUES = "SLW-2011"
KUSTOMIZE_FAILED = "SLW-2012"
REPOSITORY_FAILED = "SLW-2020"
NO_SUCH_CHART = "SLW-2021"
DIGEST_MISMATCH = "SLW-2022"
RELEASE_TOO_LARGE = "SLW-2030"
BAD_RELEASE = "SLW-2031"

TITLES: dict[str, str] = {
    VALUES_REFUSED: "The chart's own schema refuses a value",
    BAD_YAML: "A file is not the YAML that Kubernetes reads",
    BAD_OBJECT: "A document is not a Kubernetes object",
    DUPLICATE_OBJECT: "An add-on holds the same object twice",
    NO_SOURCE: "A source holds nothing to install",
    BAD_CHART: "A chart cannot be read",
    MISSING_DEPENDENCY: "A chart lacks its sub-charts",
    HELM_FAILED: "Helm could not render a chart",
    TOOL_MISSING: "A program that a source needs cannot be started",
    TOOL_TIMEOUT: "A program took too long",
    LOOKUP_BLOCKED: "A chart that looks into the cluster needs an API that is not there yet",
    BAD_VALUES: "Values cannot be handed to Helm",
    KUSTOMIZE_FAILED: "A kustomization cannot be built",
    REPOSITORY_FAILED: "A chart repository cannot be read",
    NO_SUCH_CHART: "A repository does not hold the chart or the version",
    DIGEST_MISMATCH: "A chart is not the one that was pinned",
    RELEASE_TOO_LARGE: "A release does not fit into a Secret",
    BAD_RELEASE: "A release Secret cannot be read",
}
