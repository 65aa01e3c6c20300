"""The overview dashboard: what is strange now, the picture that explains it, and the detector's health."""

from __future__ import annotations

from grafana.panels import (
    BLUE,
    DATASOURCE,
    GREEN,
    GREY,
    RED,
    YELLOW,
    Json,
    Panel,
    Query,
    Row,
    colours,
    datasource_variable,
    graph,
    label_variable,
    lay_out,
    line,
    series_variable,
    stat,
    timeline,
)

UID = "tidemark-overview"
DOCS = "https://github.com/tidemark/tidemark/blob/main/docs"
CHOSEN = 'query=~"$query", service=~"$service"'
SERIES = "{${series:raw}}"
DETECTOR = 'job=~"$job", instance=~"$instance"'
THRESHOLD = 'query_service:anomaly_score_threshold:effective{severity="info"}'
TOP = f"topk(20, max without () (anomaly_score{{{CHOSEN}}}))"


def dashboard() -> Json:
    """The whole dashboard as Grafana stores it."""
    return {
        "annotations": {"list": [_firing_alerts()]},
        "description": "What is strange now, the band and value that explain it, and Tidemark's own health.",
        "editable": False,
        "graphTooltip": 1,
        "links": _links(),
        "panels": lay_out([_now(), _series(), _detector()]),
        "refresh": "30s",
        "schemaVersion": 38,
        "tags": ["tidemark"],
        "templating": {"list": _variables()},
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "title": "Tidemark / Overview",
        "uid": UID,
    }


def _variables() -> list[Json]:
    return [
        datasource_variable(),
        label_variable("job", "Job", "label_values(tidemark_build_info, job)", ".+"),
        label_variable(
            "instance", "Instance", 'label_values(tidemark_build_info{job=~"$job"}, instance)', ".+"
        ),
        label_variable("query", "Query", "label_values(anomaly_score, query)", ".+"),
        label_variable("service", "Service", 'label_values(anomaly_score{query=~"$query"}, service)', ".*"),
        series_variable("series", "Series", f"topk(200, max without () (anomaly_score{{{CHOSEN}}}))"),
    ]


def _links() -> list[Json]:
    pages = {"The score in plain words": "score.md", "Alerts and thresholds": "alerting.md"}
    return [
        {"title": title, "type": "link", "icon": "doc", "targetBlank": True, "url": f"{DOCS}/{page}"}
        for title, page in pages.items()
    ]


def _firing_alerts() -> Json:
    return {
        "datasource": DATASOURCE,
        "enable": True,
        "expr": 'ALERTS{alertname="AnomalyService", alertstate="firing", service=~"$service"}',
        "iconColor": RED,
        "name": "Pages",
        "step": "60s",
        "textFormat": "{{severity}}",
        "titleFormat": "{{alertname}} {{service}}",
    }


def _now() -> Row:
    return Row("Now", [*_numbers(), _services(), _scores(), _strangest()])


def _numbers() -> list[Panel]:
    above = f"anomaly_score{{{CHOSEN}}} > on (query, service) group_left () {THRESHOLD}"
    share = 'service:anomaly_above:ratio{severity="critical", service=~"$service"}'
    limit = "on (severity) group_left () anomaly:share_threshold:default"
    names = "Alert|Anomaly|Drift|Forecast|Input|Model|Objective|Pattern|Tidemark"
    ours = f'alertname=~"({names}).+", alertname!="TidemarkWatchdog"'
    alerts = f'ALERTS{{{ours}, alertstate="firing"}}'
    return [
        stat(
            "Strange services",
            "Services of which at least the critical share of signals is beyond its threshold now.",
            f"count({share} >= {limit}) or vector(0)",
            alarm=1,
        ),
        stat(
            "Strange series",
            "Series whose score is above the threshold of severity info now.",
            f"count({above}) or vector(0)",
            alarm=1,
        ),
        stat(
            "Scored series",
            "Series that have a score. Learning and missing series have none.",
            f'sum(tidemark_query_series{{state="scored", query=~"$query", {DETECTOR}}})',
        ),
        stat(
            "Firing alerts",
            "Alerts of Tidemark's rules that fire now, without the dead-man's switch.",
            f"count({alerts}) or vector(0)",
            alarm=1,
        ),
        stat(
            "Age of the oldest score",
            "Seconds since the query that lags most was scored. It is red from 15 minutes on.",
            f'max(time() - tidemark_last_score_timestamp_seconds{{query=~"$query", {DETECTOR}}})',
            unit="s",
            alarm=900,
        ),
        stat(
            "Queries in trouble",
            "Queries whose last read failed.",
            f'sum(1 - tidemark_query_success{{query=~"$query", {DETECTOR}}})',
            alarm=1,
        ),
    ]


def _services() -> Panel:
    return timeline(
        "Share of strange signals by service",
        "How much of each service is beyond the critical threshold: green none, yellow some, red a page.",
        "percentunit",
        Query('service:anomaly_above:ratio{severity="critical", service=~"$service"}', "{{service}}"),
        colours(GREEN, (0.01, YELLOW), (0.5, RED)),
    )


def _scores() -> Panel:
    return graph(
        "Highest score by service and query",
        "0 is the expected value, 1 the edge of normal; above it the scale is logarithmic in rarity.",
        "none",
        Query(f"max by (service, query) (anomaly_score{{{CHOSEN}}})", "{{service}} {{query}}"),
        defaults={
            **colours("transparent", (1, RED)),
            "color": {"mode": "palette-classic"},
            "custom": {"thresholdsStyle": {"mode": "line"}},
            "min": 0,
        },
    )


def _strangest() -> Panel:
    kept = f"and {TOP}"
    families = ("value", "expected", "lower", "upper")
    asked = [TOP, *(f"anomaly_{family}{{{CHOSEN}}} {kept}" for family in families)]
    names = {f"Value #{chr(ord('A') + i)}": name for i, name in enumerate(("score", *families))}
    link = f"/d/{UID}/?${{datasource:queryparam}}&${{__url_time_range}}"
    link += "&var-query=${__data.fields.query}&var-service=${__data.fields.service}"
    return Panel(
        "Strangest series",
        "The twenty highest scores now, with value and band. Choose one as Series to see its picture.",
        "table",
        "none",
        [Query(expr, instant=True, table=True) for expr in asked],
        width=24,
        height=9,
        defaults={"custom": {"align": "auto", "filterable": True}},
        overrides=[
            {
                "matcher": {"id": "byName", "options": "score"},
                "properties": [
                    {"id": "decimals", "value": 2},
                    {"id": "custom.cellOptions", "value": {"type": "color-text"}},
                    *({"id": key, "value": value} for key, value in colours(GREEN, (1, RED)).items()),
                    {"id": "links", "value": [{"title": "Only this query and service", "url": link}]},
                ],
            }
        ],
        options={"showHeader": True, "sortBy": [{"displayName": "score", "desc": True}]},
        transformations=[
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {"excludeByName": {"Time": True, "__name__": True}, "renameByName": names},
            },
        ],
    )


def _series() -> Row:
    return Row("Series: $series", [_band(), _score_of_series()])


def _band() -> Panel:
    return graph(
        "Value and band",
        "The value leaves the band exactly where its score passes 1. A one-sided query has one edge only.",
        "short",
        Query(f"anomaly_lower{SERIES}", "lower"),
        Query(f"anomaly_upper{SERIES}", "upper"),
        Query(f"anomaly_expected{SERIES}", "expected"),
        Query(f"anomaly_value{SERIES}", "value"),
        width=24,
        height=10,
        overrides=[
            line("lower", BLUE, lineWidth=0, hideFrom={"legend": True, "tooltip": False, "viz": False}),
            line("upper", BLUE, lineWidth=0, fillBelowTo="lower", fillOpacity=18),
            line("expected", GREY, lineStyle={"fill": "dash", "dash": [6, 6]}, lineWidth=1),
            line("value", "orange", lineWidth=2),
        ],
    )


def _score_of_series() -> Panel:
    return graph(
        "Score and threshold",
        "The fast score, the sustained deviation, and the info threshold that holds for this series.",
        "none",
        Query(f"anomaly_score{SERIES}", "score"),
        Query(f"anomaly_deviation{SERIES}", "deviation"),
        Query(f"{THRESHOLD} and on (query, service) anomaly_score{SERIES}", "threshold"),
        width=24,
        defaults={"min": 0},
        overrides=[
            line("score", "orange", lineWidth=2),
            line("deviation", "purple", lineWidth=1),
            line("threshold", RED, lineStyle={"fill": "dash", "dash": [6, 6]}, lineWidth=1),
        ],
    )


def _detector() -> Row:
    return Row("Detector", [*_reading(), *_running()])


def _reading() -> list[Panel]:
    return [
        timeline(
            "Success of each query",
            "Green while the reads of the query succeed, red while they fail.",
            "none",
            Query(f'tidemark_query_success{{query=~"$query", {DETECTOR}}}', "{{query}}"),
            colours(RED, (1, GREEN)),
        ),
        graph(
            "Failed reads",
            "Failures of each query in the interval shown, by reason.",
            "short",
            Query(
                "sum by (query, reason) "
                f'(increase(tidemark_query_failures_total{{query=~"$query", {DETECTOR}}}[$__rate_interval]))'
                f' or 0 * sum by (query) (tidemark_query_success{{query=~"$query", {DETECTOR}}})',
                "{{query}} {{reason}}",
            ),
        ),
        graph(
            "Requests to the TSDB",
            "Requests per second by HTTP status code.",
            "reqps",
            Query(
                f"sum by (code) (rate(tidemark_tsdb_requests_total{{{DETECTOR}}}[$__rate_interval]))",
                "{{code}}",
            ),
        ),
        graph(
            "Answer time of the TSDB",
            "Average duration of a request.",
            "s",
            Query(
                f"sum(rate(tidemark_tsdb_request_duration_seconds_sum{{{DETECTOR}}}[$__rate_interval])) / "
                f"sum(rate(tidemark_tsdb_request_duration_seconds_count{{{DETECTOR}}}[$__rate_interval]))",
                "average",
            ),
        ),
        graph(
            "Series by state",
            "Scored, learning (no score yet) and missing (no point now); and those dropped by a limit.",
            "short",
            Query(f'sum by (state) (tidemark_query_series{{query=~"$query", {DETECTOR}}})', "{{state}}"),
            Query(
                f'sum by (reason) (tidemark_query_dropped_series{{query=~"$query", {DETECTOR}}})', "dropped"
            ),
        ),
    ]


def _running() -> list[Panel]:
    return [
        graph(
            "Duration of a cycle",
            "Average duration of a cycle against its interval. A cycle longer than the interval is late.",
            "s",
            Query(
                f"rate(tidemark_cycle_duration_seconds_sum{{{DETECTOR}}}[$__rate_interval]) / "
                f"rate(tidemark_cycle_duration_seconds_count{{{DETECTOR}}}[$__rate_interval])",
                "cycle {{instance}}",
            ),
            Query(f"tidemark_cycle_interval_seconds{{{DETECTOR}}}", "interval {{instance}}"),
        ),
        graph(
            "Memory, /metrics and state",
            "Resident memory of the process, size of one scrape, size of the state on disk.",
            "bytes",
            Query(
                f"process_resident_memory_bytes{{{DETECTOR}}} "
                f"and on (job, instance) tidemark_build_info{{{DETECTOR}}}",
                "memory {{instance}}",
            ),
            Query(f"tidemark_snapshot_bytes{{{DETECTOR}}}", "/metrics {{instance}}"),
            Query(f"tidemark_state_bytes{{{DETECTOR}}}", "state {{instance}}"),
        ),
        graph(
            "History learnt",
            "How much of its history each query has read since the start.",
            "percentunit",
            Query(f'tidemark_query_bootstrap_ratio{{query=~"$query", {DETECTOR}}}', "{{query}}"),
            defaults={"min": 0, "max": 1},
        ),
    ]
