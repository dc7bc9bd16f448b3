package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
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
		if on := d.service(name.Str()); on != nil {
			list = append(list, dependency{on, v.At("condition").Str(), v})
		}
	}
	return list
}

var composeHealthDependency = Rule{
	ID: "compose-health-dependency", Severity: finding.Error,
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
			checkHealthWords(r, s)
			d.checkHealthPort(r, s)
			d.checkIsReady(r, s)
			d.checkRestart(r, s)
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

// checkHealthWords looks whether the check of one of the programs begins with one. curl and wget are what the
// images of Synapse and the bridges can ask with.
func checkHealthWords(r *Reporter, s *Service) {
	h := s.health()
	if test := s.Value.At("healthcheck", "test"); test.Len() > 0 && !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, h.words[0]) {
		r.Fail(fmt.Sprintf("the health check of %s begins with none of CMD, CMD-SHELL and NONE; Compose starts nothing", s.Name), `"CMD" before the rest`, h.at.Site(""))
		return
	}
	if len(h.words) < 2 || h.words[0] != "CMD" {
		return
	}
	program, fix := h.words[1], "curl, with -fsS and the URL"
	switch near := nearest(program, []string{"curl", "wget"}); {
	case strings.HasPrefix(program, "-"):
		r.Fail(fmt.Sprintf("the health check of %s names no program, only %s; the container is unhealthy for ever", s.Name, program), fix, h.at.Site(""))
	case near != "" && program != "curl" && program != "wget":
		r.Fail(fmt.Sprintf("the health check of %s runs %s, which is no program; the container is unhealthy for ever", s.Name, program), near+" instead of "+program, h.at.Site(""))
	case (program == "curl" || program == "wget") && !strings.Contains(strings.Join(h.words, " "), "//") && !strings.Contains(strings.Join(h.words, " "), ":"):
		r.Fail(fmt.Sprintf("the health check of %s runs %s without a URL; the container is unhealthy for ever", s.Name, program), fix, h.at.Site(""))
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
	if d.listens(s, g[1]) {
		d.checkHealthPath(r, s, h)
		return
	}
	if d.portDiffers(s) {
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

// healthy are the paths that a program answers with 200 to whoever asks. Below those that end in a slash it may
// do so, too (Synapse app/homeserver.py; mautrix-go appservice/http.go, mautrix-python bridge/bridge.py).
var healthy = map[bool][]string{true: {"/health", "/", "/_matrix/", "/_synapse/"}, false: {"/_matrix/mau/live", "/_matrix/mau/ready"}}

var (
	urlPath  = regexp.MustCompile(`https?://[^/\s]+(/[^\s?"']*)`)
	onlyGood = regexp.MustCompile(`\bwget\b|\bcurl\b.* (-[a-zA-Z]*f|--fail)`) // a command to which 404 is a failure
)

// checkHealthPath looks whether there is an answer at the path that the check asks for.
func (d *Deployment) checkHealthPath(r *Reporter, s *Service, h health) {
	command := strings.Join(h.words, " ")
	g := urlPath.FindStringSubmatch(command)
	paths := healthy[s.Program == image.Synapse]
	if g == nil || !d.known(s) || !onlyGood.MatchString(command) || slices.ContainsFunc(paths, func(p string) bool {
		return g[1] == p || len(p) > 1 && strings.HasSuffix(p, "/") && strings.HasPrefix(g[1], p)
	}) {
		return
	}
	r.Fail(fmt.Sprintf("the health check of %s asks for %s, which is a 404; the container is unhealthy for ever, and neither Traefik nor depends_on takes it", s.Name, g[1]),
		paths[0]+" instead of "+g[1], h.at.Site(""))
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
