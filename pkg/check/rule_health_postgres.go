package check

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// checkIsReady has pg_isready accept its command line and ask the server in its own container. Who is named
// with -U makes no difference: pg_isready does not log in.
func (d *Deployment) checkIsReady(r *Reporter, s *Service) {
	h := s.health()
	if len(h.words) < 2 || h.words[0] != "CMD" || !slices.Contains(d.servers(), s) {
		return
	}
	const consequence = "; the container is unhealthy for ever, and whoever waits for it does not start"
	program, fix := path.Base(h.words[1]), `test: ["CMD", "pg_isready", "-q", "-h", "127.0.0.1"]`
	if strings.HasPrefix(program, "-") || nearest(program, []string{"pg_isready"}) != "" {
		r.Fail(fmt.Sprintf("the health check of %s runs %s, which is no program%s", s.Name, program, consequence), fix, h.at.Site(""))
		return
	}
	if program != "pg_isready" {
		return
	}
	l := isReadyOptions.read(h.words[2:])
	host, port := l.value('h'), l.value('p')
	switch own := s.postgresPort(); {
	case l.fault != "":
		r.Fail(fmt.Sprintf("pg_isready in the health check of %s %s%s", s.Name, l.fault, consequence), fix, h.at.Site(""))
	case host != "" && !strings.HasPrefix(host, "/") && !s.isItself(host) && !strings.HasPrefix(host, "127."):
		r.Fail(fmt.Sprintf("the health check of %s asks %s and not its own container%s", s.Name, host, consequence), fix, h.at.Site(""))
	case port != "" && own != "" && port != own:
		r.Fail(fmt.Sprintf("the health check of %s asks port %s, but it listens on %s%s", s.Name, port, own, consequence), fix, h.at.Site(""))
	}
}

// checkRestart has a service end for good where others wait for that.
func (d *Deployment) checkRestart(r *Reporter, s *Service) {
	v := s.Value.At("restart")
	policy, _, _ := strings.Cut(v.Str(), ":")
	if text, ok := d.expand(v); !v.Set() || !ok || text != v.Str() || policy == "on-failure" || policy == "no" || !d.awaited(s) {
		return
	}
	if policy == "always" || policy == "unless-stopped" {
		r.Fail(fmt.Sprintf("Docker starts %s again whenever it ends, but others wait until it has ended; they may wait for ever", s.Name), `restart: "no"`, v.Site(""))
	} else if yes, isBool := v.Bool(); !isBool || yes {
		r.Fail(fmt.Sprintf("Docker knows no restart policy %s; it does not make the container of %s, and whoever waits for it does not start", policy, s.Name), `restart: "no"`, v.Site(""))
	}
}
