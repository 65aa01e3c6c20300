"""Where the dashboards lead: to each other with time range and variables, to the status page, to the docs."""

from __future__ import annotations

from grafana.panels import Json

DOCS = "https://github.com/tidemark/tidemark/blob/main/docs"
TAG = "tidemark"
CARRIED = "${datasource:queryparam}&${__url_time_range}"


def uid(name: str) -> str:
    """The uid of the dashboard in `name`.json."""
    return f"tidemark-{name}"


def siblings() -> Json:
    """A menu of all dashboards of Tidemark; the time range and the variables go with it."""
    return {
        "asDropdown": True,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "tags": [TAG],
        "targetBlank": False,
        "title": "Tidemark",
        "tooltip": "",
        "type": "dashboards",
        "url": "",
    }


def page(title: str, path: str) -> Json:
    """A page of the documentation."""
    return _link(title, f"{DOCS}/{path}", "doc")


def status(title: str) -> Json:
    """The status page of the detector."""
    return _link(title, "${status}/", "external link")


def cell(title: str, name: str, *labels: str) -> Json:
    """From a row of a table to the dashboard `name`, with the row's `labels` chosen."""
    chosen = "".join(f"&var-{it}=${{__data.fields.{it}}}" for it in labels)
    return {"title": title, "url": f"/d/{uid(name)}/?{CARRIED}{chosen}"}


def point(title: str, name: str, *labels: str) -> Json:
    """From a line of a graph to the dashboard `name`, with the line's `labels` chosen."""
    chosen = "".join(f"&var-{it}=${{__field.labels.{it}}}" for it in labels)
    return {"title": title, "url": f"/d/{uid(name)}/?{CARRIED}{chosen}"}


def series() -> Json:
    """From a line of a graph to its series."""
    return point("This series", "series", "query", "service")


def service() -> Json:
    """From a line of a graph to its service."""
    return point("This service", "services", "service")


def cells(*columns: str) -> dict[str, Json]:
    """Those of the columns `query` and `service` of a table: to the row's series, and to its service."""
    leads = {
        "query": cell("This series", "series", "query", "service"),
        "service": cell("This service", "services", "service"),
    }
    return {it: leads[it] for it in columns}


def portrait() -> Json:
    """From a line of a graph to the detector's page of the series, or of all with its query and service."""
    query, service = "${__field.labels.query}", "${__field.labels.service}"
    return {
        "targetBlank": True,
        "title": "Status page of this series",
        "url": f"${{status}}/series?query={query}&label=service%3D{service}",
    }


def _link(title: str, url: str, icon: str) -> Json:
    return {
        "asDropdown": False,
        "icon": icon,
        "includeVars": False,
        "keepTime": False,
        "tags": [],
        "targetBlank": True,
        "title": title,
        "tooltip": "",
        "type": "link",
        "url": url,
    }
