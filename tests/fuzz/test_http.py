"""A short run of `make fuzz`: schemathesis over every operation of /openapi.json, with all its phases and checks."""

import pytest

from tests.fuzz.http_fuzz import IDENTITIES, faults_in, fuzz

EXAMPLES = 5


@pytest.mark.timeout(300)
@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_interface_is_as_described(system, identity):
    """Whatever is sent: an answer that the document describes, bad input refused, no 5xx, and no fault in the logs."""
    outcome = fuzz(system.base_url, identity, seed=1, examples=EXAMPLES)
    assert outcome.exit_status == 0, outcome.output
    counts = outcome.counts
    assert sum(counts.cases.values()) > 1_000
    assert counts.phases.keys() == {"coverage", "fuzzing", "stateful"}
    # The document leaves none out.
    assert {
        "POST /update-score",
        "POST /auth/login",
        "GET /metrics",
        "DELETE /quizzes/{quiz_id}",
    } <= counts.cases.keys()
    if identity == "host":
        assert {"200", "201", "204", "400", "401", "403", "404", "405", "409"} <= counts.statuses.keys()
    assert not faults_in(system)
