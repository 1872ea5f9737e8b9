# Two images from one file: `service` (the last stage, the default) and `simulators` (the outside world, for development).
# The digest is that of the index for all platforms; docs/deploy.md says how to renew it.
FROM docker.io/library/python:3.11.13-slim-bookworm@sha256:86adf8dbadc3d6e82ee5dd2c74bec2e1c2467cdad47886280501df722372d2e1 AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/opt/venv/bin:$PATH
# /tmp is the only place where anything is written, so that the root file system may be read-only.
RUN groupadd --gid 10001 coruscant && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp coruscant
WORKDIR /srv/coruscant

# Where pip works. The images take over what it has made, and have no pip.
FROM base AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/venv

FROM build AS build-simulators
COPY requirements-simulators.txt ./
RUN pip --python /opt/venv/bin/python install --require-hashes -r requirements-simulators.txt
COPY local/__init__.py ./local/
COPY local/simulators ./local/simulators
RUN python -m compileall -q . && chmod -R a+rX .

FROM build AS build-service
COPY requirements.txt ./
RUN pip --python /opt/venv/bin/python install --require-hashes -r requirements.txt
COPY manage.py .env.example ./
COPY coruscant ./coruscant
COPY pricing ./pricing
COPY loans ./loans
COPY liquidation ./liquidation
COPY desk ./desk
COPY docs/openapi.yaml ./docs/
# Settings refuse to start on an empty environment; for this one command they are the example's, and reach nothing.
RUN DOTENV=.env.example DEBUG=true python manage.py collectstatic --noinput && rm .env.example && python -m compileall -q . && chmod -R a+rX .

# The base image has no bytecode, and nothing is written at run time: each start, and each probe of health, would compile
# all that it imports.
FROM base AS bare
RUN python -m pip uninstall --yes --root-user-action ignore pip setuptools wheel \
    && rm -r /usr/local/lib/python3.11/ensurepip \
    && python -m compileall -q -x /tests/ /usr/local/lib/python3.11

FROM bare AS simulators
COPY --from=build-simulators /opt/venv /opt/venv
COPY --from=build-simulators /srv/coruscant ./
USER 10001:10001

FROM bare AS service
# As in coruscant/__init__.py; a test compares them.
LABEL org.opencontainers.image.title="Coruscant Bank: the liquidation service" \
    org.opencontainers.image.version="1.0.0" \
    org.opencontainers.image.licenses="MIT"
COPY --from=build-service /opt/venv /opt/venv
COPY --from=build-service /srv/coruscant ./
USER 10001:10001
# What gunicorn would write elsewhere.
ENV GUNICORN_CMD_ARGS="--no-control-socket --worker-tmp-dir /dev/shm"
EXPOSE 4000
# Of the web. A worker and a beat have HEARTBEAT_FILE for theirs.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:4000/health/live', timeout=3)"]
# As in local/processes.py; a test compares them.
CMD ["gunicorn", "coruscant.wsgi", "--config", "python:coruscant.web.gunicorn_settings", "--bind", "0.0.0.0:4000", "--workers", "2", "--threads", "4", "--access-logfile", "-"]
