# The server, from a checkout: docker build --tag lightwell:local .
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /source
# What is pinned first: a change of our own code does not install it all again.
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src/lightwell/__init__.py src/lightwell/__init__.py
RUN python -m venv /opt/lightwell \
    && /opt/lightwell/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt .
COPY src src
RUN /opt/lightwell/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --force-reinstall .

FROM python:3.11.13-slim-bookworm
# A user of its own, who owns nothing but the directory of data.
RUN useradd --system --uid 10001 --home-dir /var/lib/lightwell --create-home lightwell
COPY --from=build /opt/lightwell /opt/lightwell
ENV PATH=/opt/lightwell/bin:$PATH \
    LIGHTWELL_HOME=/var/lib/lightwell \
    LIGHTWELL_LISTEN_HOST=0.0.0.0 \
    LIGHTWELL_TELEMETRY_LOG_FORMAT=json
USER 10001
VOLUME /var/lib/lightwell
EXPOSE 4200
# Health and not readiness: a database that is away is no reason to start the server again.
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:4200/api/health', timeout=4)"]
CMD ["lightwell", "serve"]
