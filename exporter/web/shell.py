"""What every page has: its head with its one style, a header, and the policy that holds it all in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files
from xml.etree.ElementTree import Element

from exporter.shown.status import Links
from exporter.web.markup import Node, document, tag

STYLE = files("exporter.web").joinpath("style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def page(title: str, header: Element, main: Iterable[Node], footer: Element) -> bytes:
    """A page as UTF-8 HTML; every label, expression and message in it is escaped."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", STYLE),
    )
    skip = tag("a", "Skip to the content", href="#content", class_="skip")
    body = tag("body", skip, header, tag("main", main, id="content", tabindex="-1"), footer)
    return document(tag("html", head, body, lang="en"))


def header(home: Node, version: str, links: Links, root: str = "") -> Element:
    """The name of the program, its version, and where else to look; `root` leads to the landing page."""
    places = {"Metrics": f"{root}metrics", "JSON": f"{root}api/v1/status", "Ready": f"{root}-/ready"}
    named = {"Grafana": links.grafana, "Prometheus": links.prometheus, "Runbooks": links.runbooks}
    places |= {name: href for name, href in named.items() if href}
    return tag(
        "header",
        tag("h1", home),
        tag("span", f"version {version}", class_="soft"),
        tag("nav", (tag("a", text, href=href) for text, href in places.items()), aria_label="Elsewhere"),
    )


def linked(text: Node, href: str, class_: str = "") -> Node:
    """A link, or the text alone where there is no address."""
    return tag("a", text, href=href, class_=class_) if href else text
