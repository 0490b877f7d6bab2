# syntax=docker/dockerfile:1
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY sdk/package.json sdk/
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY migrations migrations
COPY src src
COPY static static
RUN node scripts/build-if-old.mjs

FROM node:22-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY sdk/package.json sdk/
RUN npm ci --omit=dev --no-audit --no-fund
COPY scripts/slim-packages.mjs scripts/
RUN node scripts/slim-packages.mjs
RUN mkdir data

# Node's libraries, certificates and time zones, and nothing else: no shell, no package manager. Its user is 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data
WORKDIR /app
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
# For `node scripts/command.mjs make-admin you@example.com`, or `migrate`, inside a container.
COPY scripts/command.mjs scripts/build-if-old.mjs scripts/
COPY --from=packages --chown=65532:65532 /app/data /data
VOLUME /data
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--disable-proto=delete", "dist/src/main.js"]
