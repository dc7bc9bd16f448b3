package conformance

import "maps"

// containersBase is what the fields of appservices and services are changed in.
const containersBase = `appservices:
  hooks:
    image: registry.example.org/hooks
    version: "1"
    port: 9993
    users: [{regex: "@hooks_.*"}]
    aliases: [{regex: "#hooks_.*"}]
    rooms: [{regex: "!hooks.*"}]
    routes: [{host: hooks.example.org, path: /hooks}]
    networks: [{name: others}]
services:
  status:
    image: registry.example.org/status
    version: "1"
    port: 8080
    routes: [{host: status.example.org, path: /status}]
    networks: [{name: others}]
`

// containerValues are two values of each field that an appservice and a service have.
var containerValues = map[string][2]string{
	"image": {"registry.example.org/a", "registry.example.org/b"}, "version": {"'2'", "'3'"}, "command": {"[a]", ""}, "entrypoint": {"[/a]", ""},
	"user": {"'1000:1000'", ""}, "port": {"9001", "9002"}, "environment.*": {"a", "b"}, "files.*": {"'{homeserver}'", ""},
	"volumes.*.path": {"./data/a", "./data/b"}, "volumes.*.volume": {"a", "b"}, "volumes.*.external": {"true", "false"},
	"networks.name": {"monitoring", "watching"}, "networks.aliases": {"[a]", "[b]"}, "writable": {"true", ""}, "healthcheck": {"[CMD, 'true']", ""},
	"routes.host": {"a.example.org", "b.example.org"}, "routes.path": {"/a", "/b"}, "routes.port": {"9003", ""}, "routes.strip": {"true", ""},
	"database": {"true", ""}, "redis": {"true", ""}, "limits.memory": {"4G", ""}, "limits.cpus": {"1.5", ""},
}

// appserviceValues are those of the fields that an appservice has besides.
var appserviceValues = map[string][2]string{
	"id": {"a", "b"}, "bot": {"a", "b"}, "users.regex": {"'@a_.*'", "'@b_.*'"}, "users.exclusive": {"true", "false"},
	"aliases.regex": {"'#a_.*'", "'#b_.*'"}, "aliases.exclusive": {"true", "false"}, "rooms.regex": {"'!a.*'", "'!b.*'"}, "rooms.exclusive": {"true", "false"},
	"rate_limited": {"true", ""}, "ephemeral": {"true", ""}, "encryption": {"true", ""}, "extra": {"{protocols: [a]}", ""},
	"registration": {"a.yaml", ""},
}

func init() {
	for key, two := range containerValues {
		fieldValues["appservices.*."+key], fieldValues["services.*."+key] = two, two
	}
	for key, two := range appserviceValues {
		fieldValues["appservices.*."+key] = two
	}
	maps.Copy(elsewhere, map[string]string{
		"appservices.*.secrets.*": "made, and filled into files; pkg/render", "services.*.secrets.*": "made, and filled into files; pkg/render",
	})
	maps.Copy(starred, map[string]string{"appservices": "hooks", "services": "status", "environment": "NAME", "files": "/data/a", "volumes": "/data"})
}
