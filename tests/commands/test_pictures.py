"""Band pictures in a line of text."""

from __future__ import annotations

import math

import pytest
from rich.text import Text

from exporter.commands.pictures import OUT, rail, sparkline
from exporter.shown.status import Band


def coloured(text: Text) -> str:
    """The characters that have a colour."""
    return "".join(text.plain[span.start : span.end] for span in text.spans if span.style == OUT)


@pytest.mark.parametrize(
    ("value", "picture", "out"),
    [
        (5.0, "[────●────]", ""),
        (7.5, "[────┼──●─]", ""),
        (20.0, "[─┼──]    ●", "●"),
        (-10.0, "●    [──┼─]", "●"),
    ],
)
def test_a_rail_shows_where_the_value_lies(value: float, picture: str, out: str) -> None:
    """Inside of the band or outside of it, on the right side, with or without colour."""
    found = rail(value, 0.0, 5.0, 10.0, width=11)
    assert (found.plain, coloured(found)) == (picture, out)


@pytest.mark.parametrize(
    "marks", [(1.0, math.nan, 1.0, 2.0), (1.0, 1.0, 1.0, 1.0), (1.0, -math.inf, 0.0, 2.0)]
)
def test_an_unknown_band_has_no_picture(marks: tuple[float, float, float, float]) -> None:
    """Learning, one-sided or constant: nothing is drawn rather than something wrong."""
    assert rail(*marks).plain == ""


def test_a_sparkline_shows_the_way() -> None:
    """From the lowest to the highest, a gap as a point, and what is outside of the band in colour."""
    band = Band([0, 1, 2, 3], [0.0, 1.0, math.nan, 8.0], [0.0] * 4, [5.0] * 4)
    found = sparkline(band)
    assert (found.plain, coloured(found)) == ("▁▂·█", "█")


def test_a_sparkline_is_as_long_as_asked() -> None:
    """The newest values are the ones that are kept."""
    values = [float(it) for it in range(50)]
    assert len(sparkline(Band(values, values, values, values), width=10).plain) == 10
    assert sparkline(None).plain == ""


def test_a_whole_band_fits_and_keeps_what_was_strange() -> None:
    """One point in a hundred outside of the band is still seen."""
    values = [0.0] * 100
    values[42] = 9.0
    found = sparkline(Band(values, values, [-1.0] * 100, [5.0] * 100), width=20, whole=True)
    assert (len(found.plain), coloured(found)) == (20, "█")
