package component

import (
	"slices"
	"strings"
)

// Appservice is what is known of an appservice that is no mautrix bridge, where its own files are and what they call
// what Synapse's registration has. Its dotted keys are "" where it has none, its numbers 0 where they are not known.
type Appservice struct {
	Title string
	// Images are the ends of the names of its images; one that ends in a hyphen is what such an end begins with.
	Images []string
	// Config and Registration are its files in its container, unless these flags of its command name others.
	Config, Registration           string
	ConfigFlags, RegistrationFlags []string
	// Port and Host are the keys of what it listens on, PortFlags and HostFlags flags that count before them.
	Port, Host           string
	PortFlags, HostFlags []string
	// DefaultPort and DefaultHost are what it listens on by itself, in its own image and without a command.
	DefaultPort int
	DefaultHost string
	// KeepsPort says that it is DefaultPort under a command of somebody's own, too.
	KeepsPort bool
	// Wants says that it does not start without its files; others make them.
	Wants bool
	// Files are the keys of other files in its container that it does not start without.
	Files []string
	// OnePort says that nothing else of it listens.
	OnePort bool
	// Listeners is the key of a list of what it listens on besides, each with port, bindAddress, resources and prefix.
	Listeners string
	// Webhooks is the key of the address under which it tells people what others call; Resource is that of its listener.
	Webhooks, Resource string
	// Database is the key of its connection to PostgreSQL.
	Database string
	// Homeserver and Domain are the keys of Synapse's address and of the server's name. HomeserverWord says that the address is the
	// last word of its command.
	Homeserver, Domain string
	HomeserverWord     bool
	// Homeservers is the key of several, each with its address as url.
	Homeservers string
	// ASToken and HSToken are the keys of its tokens, where it reads no registration.
	ASToken, HSToken string
}

// Appservices are those that people run beside the bridges.
var Appservices = []*Appservice{
	{
		// 7.5.0: Dockerfile, src/config/sections/Bridge.ts, src/ListenerService.ts, src/generic/Router.ts
		Title: "hookshot", Images: []string{"matrix-hookshot", "hookshot"},
		Config: "/data/config.yml", Registration: "/data/registration.yml",
		Port: "bridge.port", DefaultPort: 9993, Host: "bridge.bindAddress", DefaultHost: "127.0.0.1",
		Homeserver: "bridge.url", Domain: "bridge.domain",
		Wants: true, Files: []string{"passFile"}, Listeners: "listeners", Webhooks: "generic.urlPrefix", Resource: "webhooks",
	},
	{
		// 1.15.4: Dockerfile, heisenbridge/__main__.py. Its image starts it with -l 0.0.0.0.
		Title: "heisenbridge", Images: []string{"heisenbridge"},
		RegistrationFlags: []string{"-c", "--config"},
		PortFlags:         []string{"-p", "--listen-port"}, DefaultPort: 9898, KeepsPort: true,
		HostFlags: []string{"-l", "--listen-address"}, HomeserverWord: true,
	},
	{
		// 4.0.0: docker/start.sh, config.sample.yaml
		Title: "matrix-appservice-irc", Images: []string{"matrix-appservice-irc"},
		Config: "/data/config.yaml", ConfigFlags: []string{"-c", "--config"}, RegistrationFlags: []string{"-f", "--file"},
		PortFlags: []string{"-p", "--port"}, Homeserver: "homeserver.url", Domain: "homeserver.domain",
	},
	{
		// 4.0.0: Dockerfile, config/config.sample.yaml
		Title: "matrix-appservice-discord", Images: []string{"matrix-appservice-discord"},
		Config: "/data/config.yaml", ConfigFlags: []string{"-c", "--config"},
		Registration: "/data/discord-registration.yaml", RegistrationFlags: []string{"-f", "--file"},
		PortFlags: []string{"-p", "--port"}, DefaultPort: 9005, Homeserver: "bridge.homeserverUrl", Domain: "bridge.domain",
	},
	{
		// 2.1.2: Dockerfile, config/config.sample.yaml
		Title: "matrix-appservice-slack", Images: []string{"matrix-appservice-slack"},
		Config: "/config/config.yaml", ConfigFlags: []string{"-c", "--config"},
		Registration: "/config/slack-registration.yaml", RegistrationFlags: []string{"-f", "--file"},
		PortFlags: []string{"-p", "--port"}, DefaultPort: 5858, Homeserver: "homeserver.url", Domain: "homeserver.server_name",
	},
	{
		// mx-puppet-slack 0.1.2: Dockerfile, docker-run.sh, sample.config.yaml
		Title: "mx-puppet-bridge", Images: []string{"mx-puppet-"},
		Config: "/data/config.yaml", Port: "bridge.port", Host: "bridge.bindAddress", Homeserver: "bridge.homeserverUrl", Domain: "bridge.domain",
	},
	{
		// 0.6.0: Dockerfile, docker/run.sh, maubot/example-config.yaml. Its bots have accounts like people's, and no registration.
		Title: "maubot", Images: []string{"maubot"}, ConfigFlags: []string{"-c", "--config"},
		Port: "server.port", DefaultPort: 29316, Host: "server.hostname", Database: "database", OnePort: true, Homeservers: "homeservers",
	},
	{
		// config/example-config.yaml
		Title: "Meowlnir", Images: []string{"meowlnir"},
		Config: "/data/config.yaml", ConfigFlags: []string{"-c", "--config"},
		Port: "server.port", Host: "server.hostname", Homeserver: "homeserver.address", Domain: "homeserver.domain",
		ASToken: "appservice.as_token", HSToken: "appservice.hs_token",
	},
}

// Appservice is what is known of the appservice in an image; nil for any other.
func (r Ref) Appservice() *Appservice {
	name := r.Repository[strings.LastIndexByte(r.Repository, '/')+1:]
	for _, a := range Appservices {
		if slices.ContainsFunc(a.Images, func(end string) bool {
			return name == end || strings.HasSuffix(end, "-") && strings.HasPrefix(name, end)
		}) {
			return a
		}
	}
	return nil
}
