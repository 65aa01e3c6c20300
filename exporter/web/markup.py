"""HTML elements as a tree, so that every text and attribute is escaped by construction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

Node: TypeAlias = "Element | str"


def tag(name: str, /, *children: Node | Iterable[Node], **attributes: str) -> Element:
    """One element with its children; `class_` is written `class`, and `_` inside a name becomes `-`."""
    element = Element(name, {key.strip("_").replace("_", "-"): value for key, value in attributes.items()})
    for child in children:
        _append(element, [child] if isinstance(child, str | Element) else child)
    return element


def document(root: Element) -> bytes:
    """The page as UTF-8; what UTF-8 cannot carry becomes a question mark."""
    text = ElementTree.tostring(root, encoding="unicode", method="html")
    return f"<!DOCTYPE html>\n{text}\n".encode(errors="replace")


def _append(element: Element, children: Iterable[Node]) -> None:
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + child
        else:
            element.text = (element.text or "") + child
