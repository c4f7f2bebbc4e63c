# The App (`npm start`). Configured by its environment: docs/configuration.md. Deployed: docs/operations.md.
FROM node:24-slim AS dependencies
WORKDIR /trainyard
COPY package.json package-lock.json ./
# Nothing of a package runs while it is installed.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
WORKDIR /trainyard
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 TRAINYARD_DATA=/data
COPY --from=dependencies /trainyard/node_modules ./node_modules
COPY package.json ./
COPY shared ./shared
COPY app ./app
# Only the embedded database writes, and only there; with DATABASE_URL nothing does.
RUN mkdir /data && chown node:node /data
USER node
EXPOSE 8080
# Node itself gets SIGTERM, not npm: the App drains within ten seconds.
CMD ["node", "app/index.ts"]
