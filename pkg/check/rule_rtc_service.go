package check

import (
	"fmt"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

var rtcServiceStarts = Rule{
	ID: "rtc-service-starts", Severity: finding.Error,
	Summary: "the service that hands out tokens for calls has what its release needs, and stays healthy",
	Why:     "lk-jwt-service does not start without the variables that its release wants; from 0.6.0 on its image asks for its health at an address made of LIVEKIT_JWT_BIND, which is none: the container is unhealthy for ever, and Traefik answers 404.",
	Fix:     "Write LIVEKIT_FULL_ACCESS_HOMESERVERS, and leave LIVEKIT_JWT_BIND and LIVEKIT_JWT_PORT out.",
	Source:  "lk-jwt-service 0.8.0 README, src/config.rs, src/bin/healthcheck.rs; 0.6.0 healthcheck/main.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, t := range d.Tokens {
			checkOverrides(r, d, t)
		}
		for _, s := range d.Services {
			if path.Base(s.Image.Repository) != "lk-jwt-service" || s.Absent.Why != "" {
				continue
			}
			v, tagged := s.Image.Version()
			if !tagged {
				continue
			}
			checkCallVariables(r, s, v)
		}
	},
}

// callVariables are what lk-jwt-service does not start without, each with the release since which that is so.
var callVariables = []struct {
	name  string
	since component.Version
	write string
}{
	{"LIVEKIT_URL", component.Version{}, "LIVEKIT_URL: the wss:// address of LiveKit"},
	{"LIVEKIT_FULL_ACCESS_HOMESERVERS", component.Version{0, 5, 0}, "LIVEKIT_FULL_ACCESS_HOMESERVERS: the server name of the homeserver"},
}

func checkCallVariables(r *Reporter, s *deployment.Service, v component.Version) {
	for _, c := range callVariables {
		if text, at := s.Env(c.name); text == "" && !at.Exists() && s.EnvHidden(c.name) == "" && !v.Less(c.since) {
			r.Fail(fmt.Sprintf("%s %s does not start without %s", s.Name, s.Image.Tag, c.name), c.write, s.EnvAt.Site(""), s.ImageSite())
		}
	}
	// A check of one's own takes the place of the image's.
	if v.Less(component.Version{0, 6, 0}) || s.Probe.Off || s.Probe.Test.Set() {
		return
	}
	for _, name := range []string{"LIVEKIT_JWT_BIND", "LIVEKIT_JWT_PORT"} {
		if text, at := s.Env(name); text != "" {
			r.FailMend(fmt.Sprintf("the health check in the image of %s fails whenever %s is set; the container is unhealthy for ever, and Traefik sends it nothing", s.Name, name), remove(at, "remove the line, it listens on 8080 anyway"), at.Site(""), s.ImageSite())
		}
	}
}

// checkOverrides has an address at which lk-jwt-service does not find Synapse, to ask it who is in a room.
func checkOverrides(r *Reporter, d *deployment.Deployment, t *deployment.TokenService) {
	text, at := t.Env("LIVEKIT_CS_API_URL_OVERRIDES")
	if deferred(text) || t.EnvHidden("LIVEKIT_CS_API_URL_OVERRIDES") != "" {
		return
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, address, _ := strings.Cut(strings.TrimSpace(pair), "=")
		u, port, ok := deployment.Endpoint(address)
		if strings.Contains(pair, "=") && !strings.Contains(address, "://") {
			r.Fail(fmt.Sprintf("%s is told to find %s at %q, which has no scheme; it asks nobody who is in a room (relative URL without a base)", t.Name, name, address), name+"=http://"+address, at.Site(""))
			continue
		}
		if !ok || len(d.Synapses) != 1 {
			continue
		}
		s := d.Synapses[0]
		switch to := d.ServiceAt(u.Hostname()); {
		case name != s.Server.Str() && s.Server.Set() && to == s.Service:
			r.Warn(fmt.Sprintf("%s finds %s at Synapse, which is %s; whoever of that asks is looked for elsewhere", t.Name, name, s.Server.Str()), s.Server.Str()+"="+address, at.Site(""), s.Server.Site("the server name"))
		case to == nil && nobodys(t.Service, u.Hostname()):
			r.Warn(fmt.Sprintf("%s asks %s who is in a room, a name that no service here has; unless a container of another stack has it, nobody gets into a call", t.Name, u.Host), name+"="+s.ClientAddress(), at.Site(""), s.Site("Synapse"))
		case to == s.Service && u.Scheme == "https" && plain(s.Listeners(), port):
			r.Fail(fmt.Sprintf("%s asks Synapse by https who is in a room, which speaks plain HTTP on port %s; nobody gets into a call", t.Name, port), name+"="+s.ClientAddress(), at.Site(""), s.Config.At("listeners").Site("Synapse's listeners"))
		case to == s.Service && !s.Partial() && len(s.Listeners()) > 0 && !s.Hears(port):
			r.Fail(fmt.Sprintf("%s asks port %s of %s who is in a room, where Synapse does not serve clients; nobody gets into a call", t.Name, port, to.Name), name+"="+s.ClientAddress(), at.Site(""), s.Config.At("listeners").Site("Synapse's listeners"))
		}
	}
}
