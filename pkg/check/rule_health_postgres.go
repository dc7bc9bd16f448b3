package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

// checkIsReady has pg_isready accept its command line and ask the server in its own container. Who is named
// with -U makes no difference, as pg_isready does not log in; that somebody is does, where the image has no name for the user.
func checkIsReady(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	h := s.Health()
	if len(h.Words) < 2 || h.Words[0] != "CMD" || !slices.Contains(d.PostgresServers(), s) {
		return
	}
	const consequence = "; the container is unhealthy for ever, and whoever waits for it does not start"
	program, fix := path.Base(h.Words[1]), d.Lines.Probe("pg_isready", "-q", "-h", "127.0.0.1")
	if strings.HasPrefix(program, "-") || finding.Nearest(program, []string{"pg_isready"}) != "" {
		r.Fail(fmt.Sprintf("the health check of %s runs %s, which is no program%s", s.Name, program, consequence), fix, h.At.Site(""))
		return
	}
	if program != "pg_isready" {
		return
	}
	l := deployment.IsReadyOptions.Read(h.Words[2:])
	host, port := l.Value('h'), l.Value('p')
	switch own := s.PostgresPort(); {
	case l.Fault != "":
		r.Fail(fmt.Sprintf("pg_isready in the health check of %s %s%s", s.Name, l.Fault, consequence), fix, h.At.Site(""))
	case host != "" && !strings.HasPrefix(host, "/") && !s.IsItself(host) && !strings.HasPrefix(host, "127."):
		r.Fail(fmt.Sprintf("the health check of %s asks %s and not its own container%s", s.Name, host, consequence), fix, h.At.Site(""))
	case l.Value('U') == "" && unknownThere(s):
		if user, v := s.Env("PGUSER"); user == "" && !v.Exists() {
			r.Fail(fmt.Sprintf("the health check of %s runs pg_isready as user %s, of whom the image knows no name; it gives up before it asks (no attempt)%s", s.Name, s.UserAt.Str(), consequence), d.Lines.Probe("pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres"), h.At.Site(""), s.UserAt.Site("the user"))
		}
	case port != "" && own != "" && port != own:
		r.Fail(fmt.Sprintf("the health check of %s asks port %s, but it listens on %s%s", s.Name, port, own, consequence), fix, h.At.Site(""))
	}
}

// checkRestart has a service end for good where others wait for that.
func checkRestart(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	v := s.Restart
	policy, _, _ := strings.Cut(v.Str(), ":")
	if text, ok := v.Text(); !v.Set() || !ok || text != v.Str() || policy == "on-failure" || policy == "no" || !d.Awaited(s) {
		return
	}
	once := line(v, d.Lines.Once)
	if policy == "always" || policy == "unless-stopped" {
		r.FailMend(fmt.Sprintf("Docker starts %s again whenever it ends, but others wait until it has ended; they may wait for ever", s.Name), once, v.Site(""))
	} else if !v.False() {
		r.FailMend(fmt.Sprintf("Docker knows no restart policy %s; it does not make the container of %s, and whoever waits for it does not start", policy, s.Name), once, v.Site(""))
	}
}
