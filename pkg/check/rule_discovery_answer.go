package check

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// checkServerAnswer holds what the proxy itself tells other servers against where they end.
func checkServerAnswer(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, res route.Result) {
	var told struct {
		Server string `json:"m.server"`
	}
	fix := fmt.Sprintf(`{"m.server": "%s:443"}`, s.MatrixHost())
	const key = "m.server"
	where := res.Asked.Host + serverWellKnown
	if err := json.Unmarshal([]byte(res.Answer), &told); unfilledIn(res.Answer) {
		r.NotChecked(where+" holds a variable that the proxy does not replace; what a script puts there cannot be seen", answerSites(res, key)...)
		return
	} else if err != nil || told.Server == "" {
		r.Fail(where+" is no JSON with m.server; other servers look for this one on port 8448", fix, answerSites(res, key)...)
		return
	}
	host := told.Server
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, "8448")
	}
	const path = "/_matrix/federation/v1/version"
	found := d.Routes().Match("GET", host, path)
	if _, port, _ := net.SplitHostPort(host); d.Front().Service == nil && found.Closed == "" && !d.Routes().Listens(port) && !slices.ContainsFunc(d.Services, publishes(port)) {
		unless := "something else is there"
		if host != told.Server {
			unless = "DNS has a record _matrix-fed._tcp." + told.Server + ", or " + unless
		}
		r.Warn(fmt.Sprintf("%s sends other servers to port %s of %s, on which %s does not listen; none of them reaches this one, unless %s", where, port, strings.TrimSuffix(host, ":"+port), d.Front().Name, unless), fix, answerSites(res, key)...)
		return
	}
	if found.Unknown != "" || found.Note != "" || reaches(found, s.Service, path) || d.Explained(s.Service, "GET", host, path) && found.Closed == "" {
		return
	}
	if told.Server == s.MatrixHost()+":443" { // which is right, and what is asked for there is not
		fix = routeFix(d, s.MatrixHost(), s.Service, "/_matrix/federation/")
	}
	by := answerer(found)
	if found.Closed != "" {
		by = "nobody (" + found.Closed + ")"
	}
	r.Warn(fmt.Sprintf("%s sends other servers to %s, which is answered by %s and not by Synapse; no other server reaches this one, unless something else is there", where, host, by), fix, answerSites(res, key)...)
}

// answerSites are where the text stands that the proxy answers with: in a file, whose line with the key is the one to edit, or in its
// own configuration.
func answerSites(res route.Result, key string) (sites []source.Site) {
	if res.File != "" {
		before, _, found := strings.Cut(res.Answer, `"`+key+`"`)
		line := 1
		if found {
			line += strings.Count(before, "\n")
		}
		sites = append(sites, source.Site{Pos: source.Pos{File: res.File, Line: line, Col: 1}})
	}
	return append(sites, res.Router.Site)
}

// publishes tells whether a service has a port of this host; true where that cannot be seen.
func publishes(port string) func(*deployment.Service) bool {
	n, err := strconv.Atoi(port)
	return func(s *deployment.Service) bool {
		return err != nil || !s.SpansKnown || slices.ContainsFunc(s.Spans, func(p deployment.PortSpan) bool { return p.First <= n && n <= p.Last })
	}
}

// checkClientAnswer holds what the proxy itself tells clients against where they end.
func checkClientAnswer(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, res route.Result) {
	var told struct {
		Homeserver struct {
			URL string `json:"base_url"`
		} `json:"m.homeserver"`
	}
	fix := fmt.Sprintf(`{"m.homeserver": {"base_url": "https://%s"}}`, s.MatrixHost())
	const key = "base_url"
	where := res.Asked.Host + clientWellKnown
	err := json.Unmarshal([]byte(res.Answer), &told)
	u, parseErr := url.Parse(told.Homeserver.URL)
	switch {
	case unfilledIn(res.Answer):
		r.NotChecked(where+" holds a variable that the proxy does not replace; what a script puts there cannot be seen", answerSites(res, key)...)
		return
	case err == nil && told.Homeserver.URL != "" && (parseErr != nil || u.Host == ""):
		r.Fail(fmt.Sprintf("%s names %q as base_url, which is no address; clients that are given the server name find no homeserver", where, told.Homeserver.URL), fix, answerSites(res, key)...)
		return
	case err != nil || told.Homeserver.URL == "":
		r.Fail(where+" is no JSON with m.homeserver and base_url; clients that are given the server name find no homeserver", fix, answerSites(res, key)...)
		return
	}
	path := strings.TrimSuffix(u.Path, "/") + "/_matrix/client/versions"
	found := d.Routes().Match("GET", u.Host, path)
	if reaches(found, s.Service, "/_matrix/client/versions") && byDefault(found.Router, u.Hostname()) {
		r.Warn(fmt.Sprintf("%s sends clients to %s, for which nothing here is: the certificate is one of another host; they find no homeserver, unless something else is there", where, u.Host), fix, answerSites(res, key)...)
		return
	}
	if found.Unknown != "" || found.Note != "" || reaches(found, s.Service, "/_matrix/client/versions") || d.Explained(s.Service, "GET", u.Host, path) {
		return
	}
	r.Warn(fmt.Sprintf("%s sends clients to %s, which is answered by %s and not by Synapse; they find no homeserver, unless something else is there", where, u.Host, answerer(found)), fix, answerSites(res, key)...)
}

// byDefault reports whether a router takes a request only because it is the first of its proxy: it is for other hosts.
func byDefault(router *route.Router, host string) bool {
	hosts := router.Hosts()
	return len(hosts) > 0 && !slices.ContainsFunc(hosts, func(h string) bool {
		return strings.EqualFold(h, host) || strings.ContainsAny(h, "*~{$") || strings.HasPrefix(h, ".")
	})
}
