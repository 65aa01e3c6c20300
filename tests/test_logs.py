"""Log lines: what they look like, and that losing them costs nothing else."""

import json
import subprocess
import sys


def logged(code: str, form: str, stderr: object = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """A process that logs by `code`."""
    setup = f"from exporter import logs; import structlog; logs.configure('info', '{form}')\n"
    command = [sys.executable, "-c", setup + code]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False)  # type: ignore[call-overload, no-any-return]


def test_logfmt_lines_name_time_level_and_event() -> None:
    """A line can be read by people and by the tools that split it."""
    line = logged("structlog.get_logger().info('state loaded', query='a b')", "logfmt").stderr
    assert line.startswith("timestamp=")
    assert 'level=info event="state loaded" query="a b"' in line


def test_json_lines_are_json() -> None:
    """Each line is one document."""
    line = logged("structlog.get_logger().warning('x', query='a')", "json").stderr
    document = json.loads(line)
    assert (document["level"], document["event"], document["query"]) == ("warning", "x", "a")


def test_lines_below_the_level_are_left_out() -> None:
    """What is not asked for is not written."""
    assert logged("structlog.get_logger().debug('x')", "logfmt").stderr == ""


def test_a_reader_that_went_away_stops_nothing() -> None:
    """A full disk or a closed pipe behind standard error costs the lines alone."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device, not a path of ours
        done = logged("structlog.get_logger().error('x'); print('alive')", "logfmt", full)
    assert done.stdout == "alive\n"
