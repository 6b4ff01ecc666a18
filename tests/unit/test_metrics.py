"""Figures counted in plain numbers read like Prometheus's own."""

from prometheus_client import CollectorRegistry, generate_latest

from tiebreak.metrics import AppServerMetrics


def test_answers_read_like_prometheus_own():
    """Buckets add up, a value on the bound is within, and the last one holds them all."""
    registry = CollectorRegistry()
    metrics = AppServerMetrics(registry)
    metrics.answers["recorded"] += 2
    metrics.answers["not_joined"] += 1
    for size in (1, 2, 3, 300):
        metrics.answers_per_batch.observe(size)
    metrics.count_waiting = lambda: 7
    lines = generate_latest(registry).decode().splitlines()
    assert 'tiebreak_answers_total{outcome="recorded"} 2.0' in lines
    assert 'tiebreak_answers_total{outcome="not_joined"} 1.0' in lines
    assert "tiebreak_answers_waiting 7.0" in lines
    batches = dict(line.rsplit(" ", 1) for line in lines if line.startswith("tiebreak_answers_per_batch"))
    assert {
        bound: batches[f'tiebreak_answers_per_batch_bucket{{le="{bound}"}}'] for bound in ("1.0", "2.0", "4.0")
    } == {
        "1.0": "1.0",
        "2.0": "2.0",
        "4.0": "3.0",
    }
    assert batches['tiebreak_answers_per_batch_bucket{le="256.0"}'] == "3.0"
    assert batches['tiebreak_answers_per_batch_bucket{le="+Inf"}'] == "4.0"
    assert (batches["tiebreak_answers_per_batch_count"], batches["tiebreak_answers_per_batch_sum"]) == ("4.0", "306.0")
