"""Matchers: as Alertmanager and PromQL have them, on one label set and on many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.matchers import Matcher, Selection, fits, parse, patterns

LABELS = {"service": "payments", "code": "500"}


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ('service="payments"', True),
        ('service="pay"', False),
        ('service!="cart"', True),
        ('service=~"pay.*|cart"', True),
        ('service=~"pay"', False),
        ('code!~"4.."', True),
        ('region=""', True),
        ('region=~".+"', False),
        ('region!="eu"', True),
    ],
)
def test_matchers_read_as_in_alertmanager(text: str, fitting: bool) -> None:
    """Patterns match the whole value, and a missing label is an empty one."""
    assert fits([parse(text)], LABELS) is fitting


def test_a_matcher_is_written_as_it_is_read() -> None:
    """Quotes and backslashes survive the way there and back."""
    matcher = Matcher("path", "!=", 'a"b\\c')
    assert parse(str(matcher)) == matcher


@pytest.mark.parametrize("text", ["service", "service=payments", 'service=="a"', 'a b="c"', 'a="b', 'x=~"("'])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    """The message says what was expected."""
    with pytest.raises(ValueError, match="expected"):
        parse(text)


@given(st.lists(st.sampled_from(["", "a", "b", "ab"]), max_size=8), st.sampled_from(["a", "a|b", ".*", ".+"]))
def test_many_series_are_chosen_as_one_by_one(values: list[str], pattern: str) -> None:
    """A selection over all series is the same as asking each of them."""
    series = [{"service": value} if value else {} for value in values]
    matchers = patterns({"service": pattern})
    assert Selection(series).of(matchers).tolist() == [fits(matchers, labels) for labels in series]


def test_no_matchers_choose_everybody() -> None:
    """What is said of nobody in particular is said of all."""
    assert np.array_equal(Selection([LABELS, {}]).of(()), [True, True])
