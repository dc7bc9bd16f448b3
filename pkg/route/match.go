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
	req, u, ok := t.newRequest(method, host, path)
	if !ok {
		return Result{Unknown: "the path is not one of a valid request"}
	}
	var res Result
	res.Asked.Host, res.Asked.Path = req.Host, req.Path
	for i, r := range t.Routers {
		got, why := t.try(r, req)
		res.Tried = append(res.Tried, Attempt{Router: r, Matched: got == Yes, Why: why})
		if got == No {
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
			if other == Maybe && got == Yes {
				r, got, why = o, Maybe, otherWhy
			}
			if other != No {
				tied = append(tied, o)
			}
		}
		if got == Maybe {
			res.Unknown = fmt.Sprintf("whether router %q matches depends on %s", r.Name, why)
			return res
		}
		if len(tied) > 1 {
			res.Tie = tied
		}
		for _, o := range t.Routers[i+1:] {
			if match, _ := t.try(o, req); match == Yes && o != r && !slices.Contains(tied, o) {
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
	req, _, ok := t.newRequest(method, host, path)
	if !ok {
		return nil
	}
	var list []*Router
	for _, r := range t.Routers {
		never := false
		matched := Maybe
		if r.Expr != nil {
			matched, _ = r.Expr.match(req)
			r.Expr.Walk(func(m *Matcher) { never = never || m.Never != "" })
		}
		unreachable := r.Dropped != "" || !r.TLS && t.hasTLS && !r.PlainHTTP
		if unreachable && matched != No || matched == No && (never || r.Assumed) {
			list = append(list, r)
		}
	}
	return list
}

func (t *Table) newRequest(method, host, path string) (req *Request, u *url.URL, ok bool) {
	u, err := url.ParseRequestURI(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.Contains(path, " ") {
		return nil, nil, false
	}
	routing, err := t.seen(u.EscapedPath())
	if err != nil {
		return nil, nil, false
	}
	return &Request{Method: strings.ToUpper(method), Host: canonicalHost(host), Path: routing, Query: u.Query()}, u, true
}

func (t *Table) try(r *Router, req *Request) (Truth, string) {
	switch {
	case r.Dropped != "":
		return No, "dropped: " + r.Dropped
	case r.PlainHTTP:
		return No, "it only sends plain HTTP to HTTPS"
	case !r.TLS && t.hasTLS:
		return No, "it has no tls, so HTTPS does not reach it"
	case t.entryPoint != "" && len(r.EntryPoints) > 0 && !slices.Contains(r.EntryPoints, t.entryPoint):
		return No, fmt.Sprintf("it is not on the entrypoint %q", t.entryPoint)
	}
	got, why := r.Expr.match(req)
	return got, strings.Join(why, ", ")
}

// answer sends the request through the router's middlewares to its service.
func (t *Table) answer(res *Result, r *Router, host string, u *url.URL) {
	res.Router = r
	res.Unknown = r.Unchecked
	f := &Flow{Host: host, URL: u}
	for _, s := range r.Steps {
		if s(f); f.done() {
			break
		}
	}
	res.Redirect, res.Refused = f.Redirect, f.Refused
	if f.Unknown != "" {
		res.Unknown = f.Unknown
	}
	if !f.done() {
		res.Path = f.URL.EscapedPath()
		if res.Path == "" {
			res.Path = "/"
		}
	}
	s := r.To
	if s == nil || len(s.Backends) == 0 {
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
