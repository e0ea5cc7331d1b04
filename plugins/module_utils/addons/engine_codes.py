# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of the engine: what rendered objects need (SLW-25xx), and SLW-3xxx to SLW-6xxx.

Each has a page under ``docs/errors``. Manifest findings are in ``codes.py``, sources in ``sources/codes.py``.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    # what a source rendered
    "SLW-2501": "nobody serves a kind",
    "SLW-2502": "two add-ons render one object",
    "SLW-2503": "an add-on renders nothing any more",
    "SLW-2504": "patch of an object that is not rendered",
    # what is on the cluster
    "SLW-3001": "record cannot be read",
    "SLW-3002": "record of another schema",
    "SLW-3003": "record of another cluster or name",
    "SLW-3004": "cluster cannot be identified",
    "SLW-3201": "object or release belongs to somebody else",
    "SLW-3202": "add-on would move to another release",
    "SLW-3301": "changed field is held by somebody else",
    "SLW-3302": "API server refuses the change",
    "SLW-3303": "CRD change would lose objects",
    "SLW-3304": "answer to a finding that is not there",
    "SLW-3501": "scaling down is unsafe",
    "SLW-3401": "no such add-on to roll back",
    "SLW-3402": "no such revision",
    "SLW-3403": "secret values of an earlier state are gone",
    "SLW-3404": "revision cannot be gone back to",
    "SLW-3405": "Helm has moved the release",
    "SLW-3411": "no such add-on to disown",
    "SLW-3412": "add-on to disown has an unfinished run",
    "SLW-3413": "add-on is half disowned",
    "SLW-3414": "add-on is to be removed and disowned",
    "SLW-3415": "object cannot be handed over",
    # carrying out an installation
    "SLW-4001": "another run made the key",
    "SLW-4002": "object changed since the plan",
    "SLW-4003": "webhook refused or did not answer",
    "SLW-4004": "API server refused an object",
    "SLW-4101": "add-on failed",
    "SLW-4102": "add-on is not ready in time",
    "SLW-4103": "object to recreate does not go away",
    "SLW-4104": "objects of an older version do not go away",
    "SLW-4105": "object cannot be deleted",
    "SLW-4106": "StatefulSet would take its volumes with it",
    "SLW-4107": "namespace is being deleted and does not go away",
    "SLW-4201": "hook failed",
    "SLW-4202": "nobody serves a hook's kind",
    "SLW-4203": "hook object cannot be deleted",
    "SLW-4501": "output is missing",
    "SLW-4502": "output is of another type",
    "SLW-4503": "output may not be read",
    "SLW-4701": "smoke check failed",
    "SLW-4702": "smoke check could not be made",
    "SLW-4711": "rendered history cannot be written",
    "SLW-4712": "foreign file in the rendered history",
    "SLW-4713": "index of the rendered history cannot be used",
    "SLW-4601": "hook's task failed",
    "SLW-4602": "hook has run and is due again",
    "SLW-4901": "result that slipway_fail_on names",
    # removal
    "SLW-5001": "no such add-on to remove",
    "SLW-5002": "add-on is needed by others",
    "SLW-5003": "add-on is protected",
    "SLW-5004": "CRD consent does not match",
    "SLW-5005": "empty manifest would remove everything",
    "SLW-5006": "add-on to prune was not dropped",
    "SLW-5007": "volume goes with its owner",
    "SLW-5101": "objects are not gone in time",
    "SLW-5102": "dead APIService holds a namespace",
    # lock, access, options
    "SLW-6001": "another run holds the lock",
    "SLW-6101": "no usable access to the cluster",
    "SLW-6102": "API server does not answer",
    "SLW-6103": "run has been stopped",
    "SLW-6104": "API server answered with an error",
    "SLW-6105": "credential is not accepted",
    "SLW-6106": "API server is too old",
    "SLW-6201": "option has a wrong value",
    "SLW-6301": "Python packages are missing",
}
