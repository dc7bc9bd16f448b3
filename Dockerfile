# docker build -t stackgen . && docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" stackgen validate
#
# There is nothing in the image but the program: no shell, and no git, so `diff --base` and the look at what git
# tracks need the program itself.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /stackgen ./cmd/stackgen

FROM scratch
COPY --from=build /stackgen /stackgen
COPY LICENSE THIRD_PARTY.md /
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["/stackgen"]
