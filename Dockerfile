# Builds the gateway and packs it with the native ONNX Runtime; runs as a user without rights.
#   docker build --tag pacs-stego-gateway .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source

# npm is only the courier of the native library, which is pinned by checksum; nothing of Node.js is in the result.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends npm \
 && rm -rf /var/lib/apt/lists/*
COPY scripts/fetch-onnxruntime.sh scripts/
RUN scripts/fetch-onnxruntime.sh

COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/ src/
COPY models/ models/
COPY config/ config/
RUN dotnet publish src/PacsStegoGateway/PacsStegoGateway.csproj --configuration Release --use-current-runtime --self-contained false \
      --output /app -warnaserror \
 && cp native/*/libonnxruntime.so.1 /app/ \
 && mkdir -p /app/models /app/config \
 && cp -r models/. /app/models/ \
 && cp -r config/. /app/config/

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# What decodes JPEG-LS, JPEG 2000 and JPEG; Debian calls the last one libturbojpeg0.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libcharls2 libopenjp2-7 \
    "$(apt-cache show libturbojpeg0 >/dev/null 2>&1 && echo libturbojpeg0 || echo libturbojpeg)" \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /app /app
# The folder of spool, database and key ring; a volume mounted here inherits the owner.
RUN mkdir --parents /var/lib/psg && chown "$APP_UID" /var/lib/psg && chmod 700 /var/lib/psg
ENV PATH="/app:${PATH}" PSG_CONFIG=/app/config/gateway.docker.json PSG__DataFolder=/var/lib/psg DOTNET_EnableDiagnostics=0
USER $APP_UID
WORKDIR /app
VOLUME /var/lib/psg
EXPOSE 11112
# The caller HEALTH of the configuration may do nothing but C-ECHO, and only from inside the container.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
  CMD ["psg", "echo", "PSG@127.0.0.1:11112", "--calling", "HEALTH"]
ENTRYPOINT ["psg"]
CMD ["run"]
