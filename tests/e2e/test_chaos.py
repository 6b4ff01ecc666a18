"""A short run of `make chaos`: everything breaks a little, and every promise holds."""

import pytest

from chaos.rounds import play_round
from chaos.schedule import CHEAP, schedule
from chaos.stage import staged
from tests.servers import folder

SEED = 2026
FAULTS = 16


@pytest.mark.timeout(240)
async def test_short_run_of_chaos():
    """Two of every process under load, a dozen faults of all cheap kinds; `python -m chaos --seed …` plays it too."""
    faults = schedule(SEED, 1, faults=FAULTS, gap_seconds=1.5, bus="streams", kinds=CHEAP)
    assert {fault.kind for fault in faults} == set(CHEAP)
    with folder() as directory:
        async with staged("streams", "valkey", directory) as stage:
            result = await play_round(stage, 1, faults, seed=SEED, players=40, told=lambda _: None)
    assert not result.broken, "\n".join([f"seed {SEED}:", *result.broken])
    assert len(result.struck) == FAULTS
    assert result.figures.acknowledgements > 100
    assert result.figures.rivals
    assert result.figures.duplicates
