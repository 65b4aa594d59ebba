# Entry point, flags, user, ports and place of the configuration are those of the Collector's contrib image, so that a
# compose file changes one line: image.
FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
RUN npm ci
COPY src src
RUN npm run build
RUN npm prune --omit=dev --omit=optional

FROM node:26-slim
WORKDIR /millrace
COPY package.json ./
COPY bin bin
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY configs/default.yaml /etc/otelcol-contrib/config.yaml
RUN ln -s /millrace/bin/millrace.js /otelcol-contrib
USER 10001:10001
EXPOSE 4317 4318 55679
ENTRYPOINT ["/otelcol-contrib"]
CMD ["--config", "/etc/otelcol-contrib/config.yaml"]
