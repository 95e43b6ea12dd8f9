# emotool with its models, for machines without a network.
#
#     docker build -t emotool .
#     docker run --rm --network none --read-only --tmpfs /tmp --user "$(id -u):$(id -g)" \
#         -v "$PWD:/data" emotool classify clips/ -o labels.csv
#
# BASE takes another release or a digest of the image, EXTRAS the optional parts of emotool, PACKAGES
# one more package, such as `ray` for the nodes of a Ray cluster.
ARG BASE=python:3.12.12-slim-bookworm

FROM ${BASE} AS build
ARG EXTRAS=av,cloud,parquet,xlsx
ARG PACKAGES=
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_CONSTRAINT=constraints.txt \
    PIP_BUILD_CONSTRAINT=constraints.txt
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY emotool emotool
COPY training training
COPY exported exported
RUN python -m venv /opt/emotool \
    && /opt/emotool/bin/python -m pip install ".[${EXTRAS}]" ${PACKAGES:+"${PACKAGES}"} \
    && /opt/emotool/bin/python -m pip uninstall --yes pip \
    && /opt/emotool/bin/python -m compileall -q /opt/emotool

FROM ${BASE}
COPY --from=build /opt/emotool /opt/emotool
ENV PATH=/opt/emotool/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A number, so that Kubernetes can see that it is not root; it needs no entry in /etc/passwd.
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["emotool"]
CMD ["--help"]
