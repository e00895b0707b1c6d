# One image for web, worker and beat; docker-compose.yml says which of them a container is.
FROM python:3.13-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    VAR_DIR=/var/lib/skypemgr \
    STATIC_ROOT=/app/staticfiles \
    HOST=0.0.0.0 \
    PORT=8000

WORKDIR /app

# First what seldom changes, so that a change of the code does not install everything again.
COPY requirements.txt ./
RUN pip install --require-hashes --only-binary :all: -r requirements.txt

COPY . .
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent skypemgr \
    && mkdir -p "$VAR_DIR/files" "$VAR_DIR/beat" \
    && chown -R skypemgr:skypemgr "$VAR_DIR" \
    && python -m compileall -q /app \
    && PRODUCTION=1 SECRET_KEY=only-while-building python manage.py collectstatic --noinput --verbosity 0

USER skypemgr
# Uploads, exports and invoices: share this volume between web and worker.
VOLUME /var/lib/skypemgr
EXPOSE 8000

CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "4", "--no-ws", "--respawn-failed-workers", \
     "--workers-kill-timeout", "8", "--log-level", "warning", "skypemgr.wsgi:application"]
