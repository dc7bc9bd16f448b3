package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// health is what Docker asks a container to learn whether it is well.
type health struct {
	words []string
	at    source.Value
	// builtIn: the compose file says nothing, and the image has a check of its own.
	builtIn bool
	off     bool // switched off in the compose file
	unknown bool // the image may have one
}

// health reads the check of a service. Of the programs that stackgen knows, only Synapse's image has one of its
// own (its Dockerfile); those of PostgreSQL, MAS, Traefik and the bridges have none.
func (s *Service) health() health {
	v := s.Value.At("healthcheck")
	test := v.At("test")
	h := health{at: v}
	switch {
	case v.At("disable").True(), test.Str() == "NONE", slices.Equal(itemTexts(test), []string{"NONE"}):
		h.off = true
	case test.Kind() == source.Scalar:
		h.words, h.at = strings.Fields(test.Str()), test
	case test.Len() > 0:
		h.words, h.at = itemTexts(test), test
	case s.Program == image.Synapse:
		h.builtIn, h.words = true, []string{"CMD-SHELL", "curl -fSs http://localhost:8008/health"}
		if !v.Set() {
			h.at = s.Value.At("image")
		}
	case s.Program == image.Unknown:
		h.unknown = true
	}
	return h
}

// dependency is one entry of depends_on with a condition.
type dependency struct {
	on        *Service
	condition string
	value     source.Value
}

func (d *Deployment) dependencies(s *Service) []dependency {
	var list []dependency
	for name, v := range s.Value.At("depends_on").Entries() {
		if i := slices.IndexFunc(d.Services, func(o *Service) bool { return o.Name == name.Str() }); i >= 0 {
			list = append(list, dependency{d.Services[i], v.At("condition").Str(), v})
		}
	}
	return list
}

var composeHealthDependency = Rule{
	ID: "compose-health-dependency", Severity: source.Error,
	Summary: "whoever waits until a service is healthy waits for one that can become so",
	Why:     "`docker compose up` stops with \"dependency failed to start: container … has no healthcheck configured\" or \"… is unhealthy\"; and Traefik does not route to a container whose check fails.",
	Fix:     "Give the service a check that asks a port on which it listens, or wait with condition: service_started. Synapse must not wait until a bridge is ready: a bridge is ready only when Synapse answers it.",
	Source:  "docker compose; Synapse docker/Dockerfile; mautrix-go appservice ping; Traefik pkg/provider/docker keepContainer",
	Check: func(d *Deployment, r *Reporter) {
		for _, s := range d.Services {
			for _, dep := range d.dependencies(s) {
				if dep.condition == "service_healthy" {
					checkHealthy(r, s, dep)
				}
			}
			d.checkHealthPort(r, s)
		}
		for _, s := range d.Synapses {
			d.checkWaiting(r, s)
		}
	},
}

func checkHealthy(r *Reporter, s *Service, dep dependency) {
	switch h := dep.on.health(); {
	case h.unknown:
		r.NotChecked(fmt.Sprintf("whether the image of %s has a health check, for which %s waits, cannot be seen", dep.on.Name, s.Name), dep.value.Site(""))
	case len(h.words) == 0:
		fact := fmt.Sprintf("%s waits until %s is healthy, which has no health check", s.Name, dep.on.Name)
		if h.off {
			fact = fmt.Sprintf("%s waits until %s is healthy, whose health check is off", s.Name, dep.on.Name)
		}
		r.Fail(fact+"; `docker compose up` stops", "condition: service_started", dep.value.At("condition").Site(""), h.at.Site(dep.on.Name))
	}
}

// checkHealthPort looks whether the program listens where its check asks. MAS's has a rule of its own.
func (d *Deployment) checkHealthPort(r *Reporter, s *Service) {
	h := s.health()
	g := urlPort.FindStringSubmatch(strings.Join(h.words, " "))
	if g == nil || s.Program == image.MAS {
		return
	}
	if host := urlHost.FindStringSubmatch(strings.Join(h.words, " "))[1]; !s.isItself(host) && d.known(s) {
		r.Fail(fmt.Sprintf("the health check of %s asks %s and not its own container; the container is unhealthy for ever, and neither Traefik nor depends_on takes it", s.Name, host),
			"http://localhost:"+g[1], h.at.Site(""))
		return
	}
	if d.listens(s, g[1]) || d.portDiffers(s) {
		return
	}
	ls, _ := d.listeners(s)
	text, sites := portsOf(ls)
	fix, who := "test: […, \"http://localhost:"+ls[0].port+"/…\"]", "the health check of "+s.Name
	if s.Program == image.Synapse {
		fix = fmt.Sprintf(`test: ["CMD", "curl", "-fsS", "http://localhost:%s/health"]`, mainPort(ls))
	}
	if h.builtIn {
		who = "the health check in the image of " + s.Name
	}
	r.Fail(fmt.Sprintf("%s asks port %s, but it listens on %s; the container is unhealthy for ever, and neither Traefik nor depends_on takes it", who, g[1], text),
		fix, append([]source.Site{h.at.Site("")}, sites...)...)
}

// portDiffers reports whether the registration of the bridge in a service names another port than its
// configuration: registration-url-reaches-bridge says so.
func (d *Deployment) portDiffers(s *Service) bool {
	for _, b := range d.Bridges {
		if reg := d.registrationOf(b); b.Service == s && reg != nil {
			_, want, ok := endpoint(reg.At("url").Str())
			port, _ := b.port()
			return ok && port != want
		}
	}
	return false
}

var urlHost = regexp.MustCompile(`https?://([^/:\s]+):`)

// isItself reports whether a host is the container itself, or may be, where a variable stands in its place.
func (s *Service) isItself(host string) bool {
	return loopback(host) || host == "0.0.0.0" || strings.Contains(host, "$") || slices.Contains(s.names(), host)
}

// known reports whether the ports of a service's program are known, which says that the check is about it.
func (d *Deployment) known(s *Service) bool {
	_, known := d.listeners(s)
	return known
}

// checkWaiting follows what Synapse waits for, and what that waits for, to a bridge that is ready only when
// Synapse answers it.
func (d *Deployment) checkWaiting(r *Reporter, s *Synapse) {
	seen := map[*Service]bool{s.Service: true}
	first := make(map[*Service]dependency) // the entry of Synapse's own that leads to a service
	for queue := []*Service{s.Service}; len(queue) > 0; queue = queue[1:] {
		for _, dep := range d.dependencies(queue[0]) {
			if seen[dep.on] {
				continue // compose-valid reports a circle
			}
			seen[dep.on] = true
			first[dep.on] = dep
			if from, ok := first[queue[0]]; ok {
				first[dep.on] = from
			}
			h := dep.on.health()
			bridge := slices.ContainsFunc(d.Bridges, func(b *Bridge) bool { return b.Service == dep.on })
			if bridge && dep.condition == "service_healthy" && strings.Contains(strings.Join(h.words, " "), "/_matrix/mau/ready") {
				r.Fail(fmt.Sprintf("%s waits until the bridge %s is ready, and that waits for an answer of Synapse; neither starts", s.Name, dep.on.Name),
					"condition: service_started", first[dep.on].value.At("condition").Site(""), h.at.Site("ready only when Synapse answers"))
			}
			queue = append(queue, dep.on)
		}
	}
}
