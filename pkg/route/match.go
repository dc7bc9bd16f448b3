package route

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Match tells what becomes of an HTTPS request. The host may carry a port and upper case, the path escapes
// and a query. A router without tls takes part only when no router of the table has tls, for then it is
// the entrypoint's; one that sends plain HTTP to HTTPS never does.
func (t *Table) Match(method, host, path string) Result {
	req, u, ok := newRequest(method, host, path)
	if !ok {
		return Result{Unknown: "the path is not one of a valid request"}
	}
	var res Result
	res.Asked.Host, res.Asked.Path = req.host, req.path
	for i, r := range t.Routers {
		got, why := t.try(r, req)
		res.Tried = append(res.Tried, Attempt{Router: r, Matched: got == yes, Why: why})
		if got == no {
			continue
		}
		tied := []*Router{r}
		for _, o := range t.Routers[i+1:] {
			if o.Priority != r.Priority {
				break
			}
			if !r.rival(o) {
				continue
			}
			other, otherWhy := t.try(o, req)
			if other == maybe && got == yes {
				r, got, why = o, maybe, otherWhy
			}
			if other != no {
				tied = append(tied, o)
			}
		}
		if got == maybe {
			res.Unknown = fmt.Sprintf("whether router %q matches depends on %s", r.Name, why)
			return res
		}
		if len(tied) > 1 {
			res.Tie = tied
		}
		for _, o := range t.Routers[i+1:] {
			if match, _ := t.try(o, req); match == yes && o != r && !slices.Contains(tied, o) {
				res.Behind = append(res.Behind, o)
			}
		}
		t.answer(&res, r, host, u)
		return res
	}
	return res
}

// Lost lists the routers that would have taken the request, or might have, if Traefik did not drop them or
// could read their rule as it is meant. Each of them has a Problem, or shares one with its container.
func (t *Table) Lost(method, host, path string) []*Router {
	req, _, ok := newRequest(method, host, path)
	if !ok {
		return nil
	}
	var list []*Router
	for _, r := range t.Routers {
		never := false
		matched := maybe
		if r.expr != nil {
			matched, _ = r.expr.match(req)
			r.expr.walk(func(m *matcher) { never = never || m.never != "" })
		}
		unreachable := r.Dropped != "" || !r.TLS && t.hasTLS && !r.plainHTTP
		if unreachable && matched != no || matched == no && (never || r.lacksRule()) {
			list = append(list, r)
		}
	}
	return list
}

// lacksRule tells a router that labels name, but give no rule, from the one that every container has.
func (r *Router) lacksRule() bool {
	return r.conf != nil && r.conf.DefaultRule && r.from.site("traefik", "http", "routers", r.Name).Pos != r.from.Site.Pos
}

func newRequest(method, host, path string) (req *request, u *url.URL, ok bool) {
	u, err := url.ParseRequestURI(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.Contains(path, " ") {
		return nil, nil, false
	}
	routing, err := routingPath(u.EscapedPath())
	if err != nil {
		return nil, nil, false
	}
	return &request{method: strings.ToUpper(method), host: canonicalHost(host), path: routing, query: u.Query()}, u, true
}

func (t *Table) try(r *Router, req *request) (truth, string) {
	switch {
	case r.Dropped != "":
		return no, "dropped: " + r.Dropped
	case r.plainHTTP:
		return no, "it only sends plain HTTP to HTTPS"
	case !r.TLS && t.hasTLS:
		return no, "it has no tls, so HTTPS does not reach it"
	case t.opts.EntryPoint != "" && len(r.EntryPoints) > 0 && !slices.Contains(r.EntryPoints, t.opts.EntryPoint):
		return no, fmt.Sprintf("it is not on the entrypoint %q", t.opts.EntryPoint)
	}
	got, why := r.expr.match(req)
	return got, strings.Join(why, ", ")
}

// answer sends the request through the router's middlewares to its service.
func (t *Table) answer(res *Result, r *Router, host string, u *url.URL) {
	res.Router = r
	res.Unknown = r.unchecked
	f := &flow{host: host, url: u}
	for _, s := range r.steps {
		if s(f); f.done() {
			break
		}
	}
	res.Redirect, res.Refused = f.redirect, f.refused
	if f.unknown != "" {
		res.Unknown = f.unknown
	}
	if !f.done() {
		res.Path = f.url.EscapedPath()
		if res.Path == "" {
			res.Path = "/"
		}
	}
	s, provider := t.service(r.Service)
	if provider != "" || s == nil || len(s.Backends) == 0 {
		return
	}
	b := s.Backends[0]
	res.Backend = &b
	for _, o := range s.Backends[1:] {
		if o.Container != b.Container {
			res.Unknown = fmt.Sprintf("containers %q and %q share the service %q", b.Container, o.Container, s.Name)
		}
	}
}

// canonicalHost gives the host without port in lower case.
func canonicalHost(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return strings.ToLower(strings.TrimSpace(host))
}

// reserved are the characters whose escapes stand as they are in the path that rules see: RFC 3986's
// reserved ones and the percent sign. Since 3.4.1 the entrypoint turns escapes into upper case before.
const reserved = ":/?#[]@!$&'()*+,;=%"

// routingPath decodes all other escapes of an escaped path.
func routingPath(escaped string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(escaped); i++ {
		if escaped[i] != '%' {
			b.WriteByte(escaped[i])
			continue
		}
		if i+2 >= len(escaped) {
			return "", url.EscapeError(escaped[i:])
		}
		code := strings.ToUpper(escaped[i : i+3])
		c, err := url.PathUnescape(code)
		if err != nil {
			return "", err
		}
		if strings.Contains(reserved, c) {
			c = code
		}
		b.WriteString(c)
		i += 2
	}
	return b.String(), nil
}
