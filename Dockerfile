# The image of a school: one static program on Alpine, run by a user without rights. Its only state is /data.
FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=development
RUN CGO_ENABLED=0 go build -trimpath -tags nomsgpack -ldflags "-s -w -X main.version=$VERSION" -o /chalkcast ./cmd/chalkcast

FROM alpine:3.22
RUN addgroup -g 10001 chalkcast && adduser -D -H -u 10001 -G chalkcast chalkcast && install -d -o chalkcast -g chalkcast /data
COPY --from=build /chalkcast /usr/local/bin/chalkcast
USER chalkcast
ENV CHALKCAST_DATA=/data
VOLUME /data
# Pages, RTMP, RTSP. Metrics stay on the container's loopback address.
EXPOSE 8080 1935 8554
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD wget -q -O /dev/null http://127.0.0.1:8080/readyz
# chalkcast drains when it is asked to stop.
STOPSIGNAL SIGTERM
ENTRYPOINT ["chalkcast"]
CMD ["serve"]
