"""Each player needs a file descriptor for its socket and often another one for its requests."""

from __future__ import annotations

import resource

from tiebreak.load_test.failures import LoadTestFailed

OF_OUR_OWN = 100


def allow_descriptors(players: int) -> None:
    """Raise this process's limit as far as needed. Raises LoadTestFailed where that is not allowed."""
    needed = 2 * players + OF_OUR_OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise LoadTestFailed(
            f"{players} players need {needed} open files, and this process may have {hard}: raise the limit "
            f"(`ulimit -n {needed}`, LimitNOFILE= of a unit) or ask for fewer players."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
