"""Callbacks for options: what an argument must look like, and what to say when it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import available_timezones

import click

from exporter.assets.receivers import Channel, Unfit, channel_of
from exporter.durations import parse_duration
from exporter.kinds import http_url
from exporter.packs import library

Callback = Callable[[click.Context, click.Parameter, Any], Any]


def fitting(pattern: str, expected: str) -> Callback:
    """A callback that takes what matches `pattern`, or nothing."""

    def callback(_: click.Context, __: click.Parameter, found: str) -> str:
        if found and not re.fullmatch(pattern, found):
            raise click.BadParameter(f"expected {expected}, found {found!r}")
        return found

    return callback


def pairs(pattern: str) -> Callback:
    """A callback that takes KEY=VALUE whose key matches `pattern`, any number of times."""

    def callback(_: click.Context, __: click.Parameter, found: Sequence[str]) -> dict[str, str]:
        parts = [it.partition("=") for it in found]
        for key, equals, value in parts:
            if not (re.fullmatch(pattern, key) and equals and value):
                raise click.BadParameter(f"expected KEY=VALUE, found {key + equals + value!r}")
        return {key: value for key, _, value in parts}

    return callback


def url(_: click.Context, __: click.Parameter, found: str) -> str:
    """A callback that takes an HTTP address, without a slash at its end."""
    try:
        return http_url(found)
    except ValueError as error:
        raise click.BadParameter(f"{error}, found {found!r}") from None


def url_or_none(context: click.Context, parameter: click.Parameter, found: str | None) -> str | None:
    """A callback that takes an HTTP address, or nothing."""
    return url(context, parameter, found) if found else found


def seconds(_: click.Context, __: click.Parameter, found: str) -> float:
    """A callback that takes a duration such as 1h30m."""
    try:
        return parse_duration(found)
    except ValueError as error:
        raise click.BadParameter(f"{error}, found {found!r}") from None


def zone(_: click.Context, __: click.Parameter, found: str) -> str:
    """A callback that takes an IANA time zone, or nothing."""
    if found and found not in available_timezones():
        raise click.BadParameter(f"expected an IANA time zone such as Europe/Berlin, found {found!r}")
    return found


def channels(_: click.Context, __: click.Parameter, found: Sequence[str]) -> dict[str, Channel]:
    """A callback that takes NAME=KIND[:ADDRESS], any number of times."""
    try:
        return dict(channel_of(it) for it in found)
    except Unfit as error:
        raise click.BadParameter(str(error)) from None


def packs(_: click.Context, __: click.Parameter, found: Sequence[str]) -> Sequence[str]:
    """A callback that takes names of packs."""
    for it in found:
        if fault := library.unknown(it):
            raise click.BadParameter(fault)
    return found
