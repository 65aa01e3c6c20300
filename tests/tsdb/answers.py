"""Answers of the query API, written as Prometheus and VictoriaMetrics write them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Labels = dict[str, str]


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def answer(kind: str, rows: Sequence[str], extra: str = "") -> bytes:
    """A success of result type `kind`."""
    data = f'{{"resultType":"{kind}","result":[{",".join(rows)}]}}'
    return f'{{"status":"success","data":{data}{extra}}}'.encode()


def vector_answer(rows: Sequence[tuple[Labels, str]], time: int = 1_700_000_060, extra: str = "") -> bytes:
    """An instant answer of (labels, value)."""
    return answer(
        "vector",
        [f'{{"metric":{compact(labels)},"value":[{time},{compact(text)}]}}' for labels, text in rows],
        extra,
    )


def matrix_answer(rows: Sequence[tuple[Labels, Sequence[tuple[int, str]]]], extra: str = "") -> bytes:
    """A range answer of (labels, samples)."""
    texts = [
        f'{{"metric":{compact(labels)},"values":{compact([list(sample) for sample in samples])}}}'
        for labels, samples in rows
    ]
    return answer("matrix", texts, extra)


HISTOGRAM = '{"count":"3","sum":"6.5","buckets":[[0,"-1","1","2"],[3,"1","2","1"]]}'
