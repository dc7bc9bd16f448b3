package component

import "slices"

// Trial says that a real program was held against what is rendered for it.
type Trial struct {
	// Of are the programs that it counts for.
	Of []Program
	// Part is what ran of them; empty for the whole program.
	Part string
	// Version is that of what ran, as its project writes it.
	Version string
	// Did says what it did, in a clause.
	Did string
	// By is how to see it again: E2E, Conformance, or Hand.
	By string
	// Since is the day on which it first did: 2006-01-02.
	Since string
}

// How trials are made.
const (
	E2E         = "make e2e"
	Conformance = "make conformance"
	Hand        = "by hand"
)

// DockerCompose is no component: it runs them.
const DockerCompose Program = "docker-compose"

// mautrixGo is what all bridges in Go are made of: the code that reads the configuration and starts.
const mautrixGo = "mautrix-go"

// Trials are all that were made with the newest release that was to be had. What is rendered and not listed
// here never ran.
var Trials = []Trial{
	{[]Program{Synapse}, "", "v1.163.2", "reads its files and registrations, sends mail", Conformance, "2026-11-26"},
	{[]Program{Synapse}, "", "v1.163.2", "runs in a stack", E2E, "2026-11-26"},
	{[]Program{Synapse}, "", "v1.136.0", "reads what people write, or stops at it", Conformance, "2026-11-26"},
	{[]Program{Synapse}, "", "v1.136.0", "runs in a stack", E2E, "2026-11-24"},
	{[]Program{MAS}, "", "1.22.0", "ran in a stack, with Synapse, Keycloak and a browser", Hand, "2026-11-25"},
	{[]Program{Postgres}, "", "15", "runs in a stack, as Debian builds it", E2E, "2026-11-24"},
	{[]Program{Traefik}, "its router", "v3.7.13", "routes requests as the labels say", Conformance, "2026-11-24"},
	{[]Program{Keycloak}, "", "26.7.3", "imports the client", Conformance, "2026-11-24"},
	{[]Program{Borgmatic}, "", "2.1.10", "reads its configuration", Conformance, "2026-11-24"},
	{[]Program{Borgmatic}, "", "2.1.10", "backs a stack up and restores it", E2E, "2026-11-26"},
	{[]Program{WhatsApp}, "", "v0.2607.0", "runs in a stack", E2E, "2026-11-24"},
	{[]Program{Telegram}, "", "v0.15.3", "runs in a stack", E2E, "2026-11-24"},
	{[]Program{Signal, WhatsApp, Telegram, Meta, Instagram, Slack, GMessages, Twitter, LinkedIn, GVoice, Bluesky, Zulip}, mautrixGo, "v0.32.0", "reads the bridge's configuration", Conformance, "2026-11-26"},
	{[]Program{LinkedIn}, "", "v0.2604.0", "runs in a stack", E2E, "2026-11-26"},
	{[]Program{GVoice}, "", "v0.2605.0", "starts with its configuration, on a database of its own", Hand, "2026-11-26"},
	{[]Program{Zulip}, "", "v0.2511.0", "starts with its configuration, on a database of its own", Hand, "2026-11-26"},
	{[]Program{Signal, Meta}, mautrixGo, "v0.32.0", "runs in a stack", E2E, "2026-11-26"},
	{[]Program{Telegram}, mautrixGo, "v0.32.0", "takes the keys of v0.15.3 over", E2E, "2026-11-26"},
	{[]Program{LiveKit}, "", "v1.13.3", "reads its configuration, and lets a room be joined with a token of its key", Conformance, "2026-11-26"},
	{[]Program{Coturn}, "", "4.6.1", "reads its configuration, as Debian builds it", Conformance, "2026-11-26"},
	{[]Program{HAProxy}, "", "2.6.12", "leads requests as it is told to, as Debian builds it", Conformance, "2026-11-26"},
	{[]Program{DockerCompose}, "", "5.6.0", "reads docker-compose.yml", Conformance, "2026-11-24"},
	{[]Program{DockerCompose}, "", "5.6.0", "starts the stack", E2E, "2026-11-24"},
}

// TrialsOf are those of one program.
func TrialsOf(p Program) (of []Trial) {
	for _, t := range Trials {
		if slices.Contains(t.Of, p) {
			of = append(of, t)
		}
	}
	return of
}

// Ran reports whether the whole program ran in the version that is rendered.
func (c *Component) Ran() bool {
	return slices.ContainsFunc(TrialsOf(c.Program), func(t Trial) bool { return t.Part == "" && t.Version == c.Tested.Tag })
}
