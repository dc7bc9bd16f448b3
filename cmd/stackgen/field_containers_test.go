package main

// runningContainers are the appservices and services of running, with every field that one can have.
const runningContainers = `appservices:
  hooks:
    image: registry.example.org/mirror/hooks
    version: "2.1"
    id: hooks-of-the-family
    bot: hookbot
    port: 9993
    users: ["@_hook_.*", {regex: "@.*", exclusive: false}]
    aliases: [{regex: "#hook_.*", exclusive: true}]
    rooms: [{regex: "!hook.*", exclusive: false}]
    rate_limited: true
    ephemeral: true
    encryption: true
    extra: {protocols: [hooks]}
    user: "1000:1000"
    entrypoint: [/usr/bin/hooks]
    command: [--registration, "{registration}"]
    environment: {HOOKS_PORT: 9993}
    files: {/data/hooks.yaml: hooks.yaml}
    volumes: {/data/media: ./data/hooks, /data/more: {volume: hook_more, external: true}}
    networks: [monitoring]
    writable: true
    healthcheck: [CMD, wget, "http://127.0.0.1:9000/hook-health"]
    routes: [{host: hooks.example.org, path: /hooks, port: 9000, strip: true}]
    database: true
    redis: true
    secrets: {hookkey: rsa}
    limits: {memory: 101M, cpus: 0.11}
  legacy: {image: registry.example.org/mirror/legacy, version: "1.0", registration: legacy.yaml, files: {/reg.yaml: "{registration}"}}
services:
  status:
    image: registry.example.org/mirror/status
    version: "3.2"
    port: 8080
    user: "1001:1001"
    entrypoint: [/usr/bin/status]
    command: [--status-of, "{server_name}"]
    environment: {STATUS_PORT: 8080}
    files: {/etc/status.yaml: status.yaml}
    volumes: {/var/lib/status: ./data/status, /var/lib/more: {volume: status_more, external: true}}
    networks: [watching]
    writable: true
    healthcheck: [CMD, wget, "http://127.0.0.1:8080/status-health"]
    routes: [{host: status.example.org, path: /status, port: 8081, strip: true}]
    database: true
    redis: true
    secrets: {statuskey: rsa}
    limits: {memory: 102M, cpus: 0.12}
`

// besideContainers are the files that they are made of.
var besideContainers = map[string]string{
	"hooks.yaml": "token: \"{as_token}\"\n", "status.yaml": "homeserver: \"{homeserver}\"\n", "other.yaml": "other: true\n",
	"legacy.yaml": legacyRegistration, "legacy2.yaml": legacyRegistration + "protocols: [x]\n",
}

const legacyRegistration = "id: legacy\nurl: http://legacy:9005\nas_token: \"{as_token}\"\nhs_token: \"{hs_token}\"\nsender_localpart: legacy\nrate_limited: false\nnamespaces: {users: []}\n"

func init() { fields = append(fields, containerFields...) }

// A secret more is told by its name among those that are made, and no step.
var containerFields = []struct{ field, old, new, want, say string }{
	{"appservices.image", "mirror/hooks", "other/hooks", isHarmless, "the same program from another place"},
	{"appservices.version", `version: "2.1"`, `version: "2.2"`, isTold, "take a backup before the upgrade"},
	{"appservices.command", `[--registration, "{registration}"]`, `[-v, --registration, "{registration}"]`, isHarmless, "Compose recreates the service"},
	{"appservices.entrypoint", "entrypoint: [/usr/bin/hooks]", "entrypoint: [/bin/hooks]", isHarmless, "Compose recreates the service"},
	{"appservices.user", `user: "1000:1000"`, `user: "1002:1002"`, isTold, "sudo chown -R 1002:1002"},
	{"appservices.port", "port: 9993\n", "port: 9994\n", isHarmless, "both ends are rendered, where its configuration takes them from here"},
	{"appservices.environment", "HOOKS_PORT: 9993", "HOOKS_PORT: 9994", isHarmless, "Compose recreates the service"},
	{"appservices.files", "/data/hooks.yaml: hooks.yaml", "/data/hooks.yaml: other.yaml", isHarmless, "Compose recreates the service"},
	{"appservices.volumes.path", "/data/media: ./data/hooks", "/data/media: ./data/other", isTold, "move it there"},
	{"appservices.volumes.volume", "volume: hook_more", "volume: hook_less", isTold, "move it there"},
	{"appservices.volumes.external", "{volume: hook_more, external: true}", "./data/more", isTold, "move it there"},
	{"appservices.networks.name", "networks: [monitoring]", "networks: [metrics]", isTold, "the network metrics has to exist"},
	{"appservices.networks.aliases", "networks: [monitoring]", "networks: [{name: monitoring, aliases: [hooker]}]", isHarmless, "a name more"},
	{"appservices.writable", "networks: [monitoring]\n    writable: true", "networks: [monitoring]\n    writable: false", isHarmless, "Compose recreates the service"},
	{"appservices.healthcheck", "hook-health", "health", isHarmless, "Compose recreates the service"},
	{"appservices.routes.host", "host: hooks.example.org", "host: webhooks.example.org", isTold, "webhooks.example.org"},
	{"appservices.routes.path", "path: /hooks", "path: /webhooks", isHarmless, "who asks for it was told the address by somebody"},
	{"appservices.routes.port", "port: 9000", "port: 9001", isHarmless, "the proxy follows"},
	{"appservices.routes.strip", "port: 9000, strip: true", "port: 9000", isHarmless, "the proxy follows"},
	{"appservices.database", "strip: true}]\n    database: true\n    redis: true\n    secrets: {hookkey", "strip: true}]\n    redis: true\n    secrets: {hookkey", isTold, "the database hooks stays"},
	{"appservices.redis", "redis: true\n    secrets: {hookkey", "secrets: {hookkey", isTold, "what hooks-redis kept stays"},
	{"appservices.secrets", "secrets: {hookkey: rsa}", "secrets: {hookkey: rsa, more: token}", isTold, ""},
	{"appservices.limits.memory", "memory: 101M", "memory: 111M", isHarmless, "Compose recreates the service"},
	{"appservices.limits.cpus", "cpus: 0.11", "cpus: 0.21", isHarmless, "Compose recreates the service"},
	{"appservices.id", "id: hooks-of-the-family", "id: hooks", isTold, "for another appservice"},
	{"appservices.bot", "bot: hookbot", "bot: hooksbot", isTold, "invite it wherever @hookbot is"},
	{"appservices.users.regex", `users: ["@_hook_.*"`, `users: ["@_webhook_.*"`, isTold, "are not its own any more"},
	{"appservices.users.exclusive", `{regex: "@.*", exclusive: false}`, `{regex: "@x.*", exclusive: false}`, isTold, "are not its own any more"},
	{"appservices.aliases.regex", `regex: "#hook_.*"`, `regex: "#webhook_.*"`, isTold, "are not its own any more"},
	{"appservices.aliases.exclusive", "#hook_.*\", exclusive: true", "#hook_.*\", exclusive: false", isHarmless, "others may have such aliases, too"},
	{"appservices.rooms.regex", "!hook.*", "!.*", isHarmless, "what it is sent from now on"},
	{"appservices.rooms.exclusive", "!hook.*\", exclusive: false", "!hook.*\", exclusive: true", isHarmless, "Synapse does not look at it"},
	{"appservices.rate_limited", "rate_limited: true", "rate_limited: false", isHarmless, "how fast it may send"},
	{"appservices.ephemeral", "ephemeral: true\n    encryption: true", "ephemeral: true", isHarmless, "encryption has it, too"},
	{"appservices.encryption", "    encryption: true\n", "", isHarmless, "what it is sent from now on"},
	{"appservices.extra", "protocols: [hooks]", "protocols: [webhooks]", isHarmless, "laid onto the registration"},
	{"appservices.registration", "registration: legacy.yaml", "registration: legacy2.yaml", isHarmless, "a file of one's own; what is in it is compared"},
	{"services.image", "mirror/status", "other/status", isHarmless, "the same program from another place"},
	{"services.version", `version: "3.2"`, `version: "3.3"`, isTold, "take a backup before the upgrade"},
	{"services.command", "--status-of", "--of", isHarmless, "Compose recreates the service"},
	{"services.entrypoint", "entrypoint: [/usr/bin/status]", "entrypoint: [/bin/status]", isHarmless, "Compose recreates the service"},
	{"services.user", `user: "1001:1001"`, `user: "1003:1003"`, isTold, "sudo chown -R 1003:1003"},
	{"services.port", "port: 8080\n", "port: 8090\n", isHarmless, "what its routes lead to where they name none"},
	{"services.environment", "STATUS_PORT: 8080", "STATUS_PORT: 8090", isHarmless, "Compose recreates the service"},
	{"services.files", "/etc/status.yaml: status.yaml", "/etc/status.yaml: other.yaml", isHarmless, "Compose recreates the service"},
	{"services.volumes.path", "/var/lib/status: ./data/status", "/var/lib/status: ./data/other", isTold, "move it there"},
	{"services.volumes.volume", "volume: status_more", "volume: status_less", isTold, "move it there"},
	{"services.volumes.external", "{volume: status_more, external: true}", "./data/more", isTold, "move it there"},
	{"services.networks.name", "networks: [watching]", "networks: [metrics]", isTold, "the network metrics has to exist"},
	{"services.networks.aliases", "networks: [watching]", "networks: [{name: watching, aliases: [watcher]}]", isHarmless, "a name more"},
	{"services.writable", "networks: [watching]\n    writable: true", "networks: [watching]\n    writable: false", isHarmless, "Compose recreates the service"},
	{"services.healthcheck", "status-health", "health", isHarmless, "Compose recreates the service"},
	{"services.routes.host", "host: status.example.org", "host: up.example.org", isTold, "up.example.org"},
	{"services.routes.path", "path: /status", "path: /up", isHarmless, "who asks for it was told the address by somebody"},
	{"services.routes.port", "port: 8081", "port: 8082", isHarmless, "the proxy follows"},
	{"services.routes.strip", "port: 8081, strip: true", "port: 8081", isHarmless, "the proxy follows"},
	{"services.database", "database: true\n    redis: true\n    secrets: {statuskey", "redis: true\n    secrets: {statuskey", isTold, "the database status stays"},
	{"services.redis", "redis: true\n    secrets: {statuskey", "secrets: {statuskey", isTold, "what status-redis kept stays"},
	{"services.secrets", "secrets: {statuskey: rsa}", "secrets: {statuskey: rsa, more: token}", isTold, ""},
	{"services.limits.memory", "memory: 102M", "memory: 112M", isHarmless, "Compose recreates the service"},
	{"services.limits.cpus", "cpus: 0.12", "cpus: 0.22", isHarmless, "Compose recreates the service"},
	{"appservices", "  legacy: {image: registry.example.org/mirror/legacy, version: \"1.0\", registration: legacy.yaml, files: {/reg.yaml: \"{registration}\"}}\n", "", isTold, "before legacy goes for good"},
}
