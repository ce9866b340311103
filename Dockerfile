# The images that docker-compose.yml builds: the example shop (target shop), and Plimsoll with a k6 beside it.
#
#   docker build -t plimsoll .
#   docker run --rm -v "$PWD:/scripts:ro" plimsoll run /scripts/test.js --out prometheus-rw=http://prometheus.test:9090/api/v1/write

# Exact tags. To bump one, change it here; node:22 is the oldest release that is maintained.
FROM node:22.20.0-alpine3.22 AS node
FROM grafana/k6:2.2.0 AS k6

FROM node AS dependencies
WORKDIR /app
# A published package has no lockfile.
COPY package.json package-lock.json* ./
RUN npm "$([ -f package-lock.json ] && echo ci || echo install)" --omit=dev --no-audit --no-fund

FROM node AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM node AS shop
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY examples/shop examples/shop
# Where the fault "disk" writes: a volume takes over the owner.
RUN install -d -o node /data
USER node
EXPOSE 8080
ENTRYPOINT ["node", "examples/shop/server.mjs"]

FROM node AS plimsoll
WORKDIR /app
COPY --from=k6 /usr/bin/k6 /usr/bin/k6
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
RUN install -d -o node /home/node/.local /home/node/.local/share /home/node/.local/share/plimsoll
USER node
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
