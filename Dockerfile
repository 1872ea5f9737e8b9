# Two images from one file: `service` (the last stage, the default) and `simulators` (the outside world, for development).
FROM python:3.11.13-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 10001 coruscant
WORKDIR /srv/coruscant

FROM base AS simulators
COPY requirements-dev.txt ./
RUN pip install --require-hashes -r requirements-dev.txt
COPY local/__init__.py ./local/
COPY local/simulators ./local/simulators
USER coruscant

FROM base AS service
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY manage.py .env.example ./
COPY coruscant ./coruscant
COPY pricing ./pricing
COPY loans ./loans
COPY liquidation ./liquidation
COPY desk ./desk
COPY docs/openapi.yaml ./docs/
# Settings refuse to start on an empty environment; for this one command they are the example's, and reach nothing.
RUN DOTENV=.env.example DEBUG=true python manage.py collectstatic --noinput
USER coruscant
EXPOSE 4000
# As in local/processes.py; a test compares them.
CMD ["gunicorn", "coruscant.wsgi", "--config", "python:coruscant.web.gunicorn_settings", "--bind", "0.0.0.0:4000", "--workers", "2", "--threads", "4", "--access-logfile", "-"]
