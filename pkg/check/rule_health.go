package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

var composeHealthDependency = Rule{
	ID: "compose-health-dependency", Severity: finding.Error,
	Summary: "whoever waits until a service is healthy waits for one that can become so",
	Why:     "`docker compose up` stops with \"dependency failed to start: container … has no healthcheck configured\" or \"… is unhealthy\"; and Traefik does not route to a container whose check fails.",
	Fix:     "Give the service a check that asks a port on which it listens, or wait with condition: service_started. Synapse must not wait until a bridge is ready: a bridge is ready only when Synapse answers it.",
	Source:  "docker compose; Synapse docker/Dockerfile; mautrix-go appservice ping; Traefik pkg/provider/docker keepContainer",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Services {
			for _, dep := range d.Dependencies(s) {
				if dep.Condition == "service_healthy" {
					checkHealthy(r, s, dep)
				}
			}
			checkHealthWords(r, s)
			checkHealthPort(r, d, s)
			checkIsReady(r, d, s)
			checkRestart(r, d, s)
			checkWaits(r, d, s)
		}
		for _, s := range d.Synapses {
			checkWaiting(r, d, s)
		}
	},
}

func checkHealthy(r *Reporter, s *deployment.Service, dep deployment.Dependency) {
	switch h := dep.On.Health(); {
	case h.Unknown:
		r.NotChecked(fmt.Sprintf("whether the image of %s has a health check, for which %s waits, cannot be seen", dep.On.Name, s.Name), dep.At.Site(""))
	case len(h.Words) == 0:
		fact := fmt.Sprintf("%s waits until %s is healthy, which has no health check", s.Name, dep.On.Name)
		if h.Off {
			fact = fmt.Sprintf("%s waits until %s is healthy, whose health check is off", s.Name, dep.On.Name)
		}
		r.Fail(fact+"; `docker compose up` stops", s.Lines().Started, dep.ConditionAt.Site(""), h.At.Site(dep.On.Name))
	}
}

// checkHealthWords looks whether the check of one of the programs begins with one. curl and wget are what the
// images of Synapse and the bridges can ask with.
func checkHealthWords(r *Reporter, s *deployment.Service) {
	h := s.Health()
	if len(s.Probe.Test.Items) > 0 && len(h.Words) > 0 && !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, h.Words[0]) {
		r.Fail(fmt.Sprintf("the health check of %s begins with none of CMD, CMD-SHELL and NONE; Compose starts nothing", s.Name), s.Lines().ProbeForm, h.At.Site(""))
		return
	}
	if len(h.Words) < 2 || h.Words[0] != "CMD" {
		return
	}
	program, fix := h.Words[1], "curl, with -fsS and the URL"
	switch near := finding.Nearest(program, []string{"curl", "wget"}); {
	case strings.HasPrefix(program, "-"):
		r.Fail(fmt.Sprintf("the health check of %s names no program, only %s; the container is unhealthy for ever", s.Name, program), fix, h.At.Site(""))
	case near != "" && program != "curl" && program != "wget":
		r.Fail(fmt.Sprintf("the health check of %s runs %s, which is no program; the container is unhealthy for ever", s.Name, program), near+" instead of "+program, h.At.Site(""))
	case (program == "curl" || program == "wget") && !strings.Contains(strings.Join(h.Words, " "), "//") && !strings.Contains(strings.Join(h.Words, " "), ":"):
		r.Fail(fmt.Sprintf("the health check of %s runs %s without a URL; the container is unhealthy for ever", s.Name, program), fix, h.At.Site(""))
	}
}

// checkHealthPort looks whether the program listens where its check asks. MAS's has a rule of its own.
func checkHealthPort(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	h := s.Health()
	g := urlPort().FindStringSubmatch(strings.Join(h.Words, " "))
	if g == nil || s.Program == component.MAS {
		return
	}
	if host := urlHost().FindStringSubmatch(strings.Join(h.Words, " "))[1]; !s.IsItself(host) && known(d, s) {
		r.Fail(fmt.Sprintf("the health check of %s asks %s and not its own container; %s", s.Name, host, d.Lines.Unwell),
			"http://localhost:"+g[1], h.At.Site(""))
		return
	}
	if checkMute(r, d, s, g[1]) {
		return
	}
	if d.Listens(s, g[1]) {
		checkHealthPath(r, d, s, h)
		return
	}
	if portDiffers(d, s) {
		return
	}
	ls, _ := d.Listeners(s)
	text, sites := portsOf(ls)
	fix, who := d.Lines.Probed("http://localhost:"+mainPort(ls)+"/…"), "the health check of "+s.Name
	if s.Program == component.Synapse {
		fix = d.Lines.Probe("curl", "-fsS", "http://localhost:"+mainPort(ls)+"/health")
	}
	if h.BuiltIn {
		who = "the health check in the image of " + s.Name
	}
	report, effect := r.Fail, d.Lines.Unwell
	if !heeded(d, s) {
		report, effect = r.Warn, "the container is unhealthy for ever, which nobody here goes by"
	}
	report(fmt.Sprintf("%s asks port %s, but it listens on %s; %s", who, g[1], text, effect),
		fix, append([]source.Site{h.At.Site("")}, sites...)...)
}

// heeded reports whether anybody goes by the health of a service: Traefik, which leaves out who is not healthy, or one that
// waits for it.
func heeded(d *deployment.Deployment, s *deployment.Service) bool {
	if s.HasLabel("traefik") || d.Target == deployment.Kubernetes {
		return true
	}
	return slices.ContainsFunc(d.Services, func(o *deployment.Service) bool {
		return slices.ContainsFunc(d.Dependencies(o), func(dep deployment.Dependency) bool { return dep.On == s && dep.Condition == "service_healthy" })
	})
}

var (
	urlPath  = regex.Of(`https?://[^/\s]+(/[^\s?"']*)`)
	onlyGood = regex.Of(`\bwget\b|\bcurl\b.* (-[a-zA-Z]*f|--fail)`) // a command to which 404 is a failure
)

// checkHealthPath looks whether there is an answer at the path that the check asks for.
func checkHealthPath(r *Reporter, d *deployment.Deployment, s *deployment.Service, h deployment.Health) {
	command := strings.Join(h.Words, " ")
	g := urlPath().FindStringSubmatch(command)
	if port := urlPort().FindStringSubmatch(command); g != nil && port != nil && s.Program == component.HAProxy && !d.AnswersItself(s, port[1], g[1]) {
		r.Fail(fmt.Sprintf("the health check of %s asks for %s, which HAProxy has no answer for; %s", s.Name, g[1], d.Lines.Unwell), "monitor-uri "+g[1]+" in a frontend at that port", h.At.Site(""))
		return
	}
	paths := s.Component().HealthPaths
	if g == nil || len(paths) == 0 || !known(d, s) || !onlyGood().MatchString(command) || slices.ContainsFunc(paths, func(p string) bool {
		return g[1] == p || len(p) > 1 && strings.HasSuffix(p, "/") && strings.HasPrefix(g[1], p)
	}) {
		return
	}
	r.Fail(fmt.Sprintf("the health check of %s asks for %s, which is a 404; %s", s.Name, g[1], d.Lines.Unwell),
		paths[0]+" instead of "+g[1], h.At.Site(""))
}

// portDiffers reports whether the registration of the bridge in a service names another port than its
// configuration: registration-url-reaches-bridge says so.
func portDiffers(d *deployment.Deployment, s *deployment.Service) bool {
	for _, b := range d.Bridges {
		if reg := d.RegistrationOf(b); b.Service == s && reg != nil {
			_, want, ok := d.Endpoint(reg.At("url").Str())
			port, _ := b.Port()
			return ok && port != want
		}
	}
	return false
}

var urlHost = regex.Of(`https?://([^/:\s]+):`)

// known reports whether the ports of a service's program are known, which says that the check is about it.
func known(d *deployment.Deployment, s *deployment.Service) bool {
	_, known := d.Listeners(s)
	return known
}

// checkWaiting follows what Synapse waits for, and what that waits for, to a bridge that is ready only when
// Synapse answers it.
func checkWaiting(r *Reporter, d *deployment.Deployment, s *deployment.Synapse) {
	seen := map[*deployment.Service]bool{s.Service: true}
	first := make(map[*deployment.Service]deployment.Dependency) // the entry of Synapse's own that leads to a service
	for queue := []*deployment.Service{s.Service}; len(queue) > 0; queue = queue[1:] {
		for _, dep := range d.Dependencies(queue[0]) {
			if seen[dep.On] {
				continue // compose-valid reports a circle
			}
			seen[dep.On] = true
			first[dep.On] = dep
			if from, ok := first[queue[0]]; ok {
				first[dep.On] = from
			}
			h := dep.On.Health()
			bridge := slices.ContainsFunc(d.Bridges, func(b *deployment.Bridge) bool { return b.Service == dep.On })
			if bridge && dep.Condition == "service_healthy" && strings.Contains(strings.Join(h.Words, " "), "/_matrix/mau/ready") {
				r.Fail(fmt.Sprintf("%s waits until the bridge %s is ready, and that waits for an answer of Synapse; neither starts", s.Name, dep.On.Name),
					d.Lines.Started, first[dep.On].ConditionAt.Site(""), h.At.Site("ready only when Synapse answers"))
			}
			queue = append(queue, dep.On)
		}
	}
}
