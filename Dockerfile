# syntax=docker/dockerfile:1

# The Python that the tests run on. The image is built from the wheel, so it has what an installed user has.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY exporter exporter
COPY rules rules
COPY alertmanager alertmanager
COPY grafana grafana
RUN --mount=type=cache,target=/root/.cache/pip \
    pip wheel --no-deps --wheel-dir /wheel . \
    && python -m venv /opt/tidemark \
    && /opt/tidemark/bin/pip install --constraint constraints.txt /wheel/*.whl \
    && /opt/tidemark/bin/pip uninstall --yes pip setuptools

FROM python:${PYTHON}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Tidemark" \
      org.opencontainers.image.description="Anomaly and drift scores for Prometheus and VictoriaMetrics" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10063 tidemark \
    && useradd --uid 10063 --gid 10063 --no-log-init --no-create-home --home-dir /var/lib/tidemark \
        --shell /usr/sbin/nologin tidemark \
    && install --directory --owner tidemark --group tidemark --mode 0750 /var/lib/tidemark \
    && install --directory /etc/tidemark
COPY --from=build /opt/tidemark /opt/tidemark
ENV PATH=/opt/tidemark/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TIDEMARK_REVISION=${REVISION}
USER 10063:10063
WORKDIR /var/lib/tidemark
VOLUME /var/lib/tidemark
EXPOSE 10063
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["tidemark", "healthcheck"]
ENTRYPOINT ["tidemark"]
CMD ["run", "--config.file=/etc/tidemark/tidemark.yml"]
