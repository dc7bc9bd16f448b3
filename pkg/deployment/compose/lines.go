package compose

import (
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/shell"
)

// lines are those of a compose file.
var lines = deployment.Lines{
	Image:     func(ref string) string { return "image: " + ref },
	Command:   func(words ...string) string { return "command: " + deployment.Quoted(words) },
	Variable:  func(name, value string) string { return name + ": " + value },
	Probe:     func(words ...string) string { return "test: " + deployment.Quoted(append([]string{"CMD"}, words...)) },
	Probed:    func(last string) string { return "test: […, " + strconv.Quote(last) + "]" },
	NoProbe:   "healthcheck: {disable: true}",
	ProbeForm: `"CMD" before the rest`,
	Started:   "condition: service_started",
	Once:      `restart: "no"`,

	Networks:       func(names ...string) string { return "networks: [" + strings.Join(names, ", ") + "]" },
	Outside:        "external: true",
	WayOut:         "a second network, without internal",
	OtherName:      "another alias or container_name",
	OtherContainer: "container_name: another name, or no such line",
	ContainerName:  "container_name at the database's service",
	Port: func(host, container, protocol string) string {
		return `- "` + host + ":" + container + "/" + protocol + `"`
	},

	Mount:   func(what, where string) string { return strings.TrimSpace("mount " + what + " " + where) },
	Label:   "the label",
	Scratch: func(dir string) string { return "tmpfs: [" + dir + "]" },
	AsUser: func(caps ...string) string {
		return "user: the uid that it runs as, or cap_add: [" + strings.Join(caps, ", ") + "]"
	},
	Capability: func(name string) string { return "cap_add: [" + name + "]" },
	Run: func(container, program string) string {
		if container == "" {
			return "docker exec … " + program
		}
		return "docker exec " + shell.Word(container) + " " + program
	},
	File: "the compose file", Engine: "Docker", Gone: "after `docker compose down`",
	Stranger: "a container of another stack",
	Unwell:   "the container is unhealthy for ever, and neither Traefik nor depends_on takes it",
	SwitchOn: func(profile string) string { return "COMPOSE_PROFILES=" + profile + " in .env" },
}
