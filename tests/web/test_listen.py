"""Listen addresses: what is understood, what is served, and what each refusal says."""

from __future__ import annotations

import http.client

import pytest
from starlette.applications import Starlette

from exporter.web.app import create_app
from exporter.web.listen import CannotListen, listen, urls
from tests.web.serving import DEADLINE, Fixed, has_ipv6, serving

needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


def app() -> Starlette:
    """The application over a source that never changes."""
    return create_app(Fixed(), reload=lambda: (True, ""), leave=lambda: None)


def answers(place: tuple[str, int]) -> bool:
    """Whether /-/healthy is 200 there."""
    connection = http.client.HTTPConnection(*place, timeout=DEADLINE)
    connection.request("GET", "/-/healthy")
    status = connection.getresponse().status
    connection.close()
    return status == 200


@needs_ipv6
def test_several_addresses_are_served_by_one_process() -> None:
    """Each listen address answers, on IPv4 and IPv6."""
    with serving(app(), "127.0.0.1:0", "[::1]:0") as places:
        assert [answers(place) for place in places] == [True, True]
    assert [host for host, _ in places] == ["127.0.0.1", "::1"]


@needs_ipv6
def test_no_host_means_every_interface() -> None:
    """`:0` answers on the loopback of both families."""
    with serving(app(), ":0") as [(_, port)]:
        assert answers(("127.0.0.1", port))
        assert answers(("::1", port))


def test_urls_are_what_a_person_on_this_machine_can_open() -> None:
    """Every interface is shown as localhost, and the port is the bound one."""
    loopback, everywhere = sockets = listen(["127.0.0.1:0", "0.0.0.0:0"])
    with loopback, everywhere:
        first, second = (it.getsockname()[1] for it in sockets)
        assert urls(sockets, "https") == [f"https://127.0.0.1:{first}/", f"https://localhost:{second}/"]


@pytest.mark.parametrize("held", ["127.0.0.1:0", "0.0.0.0:0", ":0"])
def test_a_port_in_use_is_one_line_that_says_what_to_do(held: str) -> None:
    """The message names the address and the flag; nothing stays bound."""
    [taken] = listen([held])
    port = taken.getsockname()[1]
    with taken, pytest.raises(CannotListen) as caught:
        listen(["127.0.0.1:0", f":{port}"])
    assert str(caught.value).startswith(f"cannot listen on :{port}: another process has this port")
    assert "--web.listen-address" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "10063",
        "localhost",
        "localhost:",
        "localhost:http",
        "localhost:65536",
        "::1:80",
        "[::1]",
        "a:-1",
        "a:1²",
    ],
)
def test_a_malformed_address_says_what_is_expected(address: str) -> None:
    """Anything but HOST:PORT, :PORT or [IPv6]:PORT is refused with the three forms."""
    with pytest.raises(CannotListen, match=r"expected HOST:PORT, :PORT or \[IPv6\]:PORT"):
        listen([address])


def test_an_address_of_another_machine_is_refused() -> None:
    """An address that this machine does not have is named as such."""
    with pytest.raises(CannotListen, match="no such address"):
        listen(["192.0.2.1:0"])
