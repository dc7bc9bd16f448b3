package manifests

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// inside are the programs that answer for their health on the loopback address alone, which kubelet does not reach.
var inside = []component.Program{component.HAProxy, component.Unknown}

// asked are the paths by which programs without a check in Compose tell how they fare: lk-jwt-service has one in its image (main.go of 0.7.0).
var asked = map[component.Program]string{component.LkJwt: "/healthz"}

// probes asks as the health check of Compose does, so that nobody is led to what is not ready. Nothing is killed for being slow: Synapse
// and PostgreSQL may work on their data for hours before they answer.
func (m *maker) probes(s *deployment.Service, c *node) {
	if how := m.probe(s); how != nil && !s.Once {
		how.Set("periodSeconds", number("10"))
		how.Set("timeoutSeconds", number("5"))
		c.Set("readinessProbe", how)
	}
}

func (m *maker) probe(s *deployment.Service) *node {
	get := func(path, port string) *node {
		return mapping("httpGet", mapping("path", text(cmp.Or(path, "/")), "port", number(cmp.Or(port, "80"))))
	}
	health := s.Health()
	if health.Off || health.BuiltIn || len(health.Words) < 2 {
		switch ls, _ := m.d.Listeners(s); {
		case s.Program == component.MAS: // its image has nothing that could ask, but kubelet can
			for _, l := range ls {
				if slices.Contains(l.Resources, "health") && !l.Loopback && !l.Tls && !l.Socket() {
					return get(l.Prefix+"health", l.Port)
				}
			}
		case asked[s.Program] != "":
			if ports := m.ports(s); len(ports) == 1 {
				return get(asked[s.Program], ports[0])
			}
		}
		return nil
	}
	last := health.Words[len(health.Words)-1]
	u, err := url.Parse(last)
	switch {
	case health.Words[0] == "CMD-SHELL":
		return mapping("exec", mapping("command", words([]string{"/bin/sh", "-c", strings.Join(health.Words[1:], " ")})))
	case err == nil && u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1") && !slices.Contains(inside, s.Program):
		return get(u.Path, u.Port())
	}
	return mapping("exec", mapping("command", words(health.Words[1:])))
}
