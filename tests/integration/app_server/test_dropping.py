"""The smaller half of `python -m bench.churn`: what thousands cost that connect and drop is given back."""

from __future__ import annotations

from bench.churn import ENOUGH, POOLED, churn
from tests.system import running_system

CYCLES = 2_000


def test_thousands_connect_and_drop():
    """Each way to drop, by RST and by FIN: no connection of theirs is left, no session, and no descriptor."""
    with running_system(environ=ENOUGH) as system:
        before, *_, after = churn(system, CYCLES, every=CYCLES // 2, at_once=20)
    assert after.accepted == after.sessions == 0
    assert after.descriptors <= before.descriptors + POOLED
    # Coarse: 2,000 sockets that were kept would be 10 MB. bench/churn.py measures it.
    assert after.rss_bytes - before.rss_bytes < 8 * 2**20
