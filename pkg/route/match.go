package route

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Match tells what becomes of an HTTPS request. The host may carry upper case and a port, without which it is 443;
// the path escapes and a query. Where the ways in cannot be seen, any router may be on the one that is asked, and
// one without tls takes part only when no router of the table has tls, for then it is the entrypoint's. A router
// that sends plain HTTP to HTTPS never does.
func (t *Table) Match(method, host, path string) Result {
	req, u, ok := t.newRequest(method, host, path)
	if !ok {
		return Result{Unknown: "the path is not one of a valid request"}
	}
	var res Result
	res.Asked.Host, res.Asked.Path = req.Host, req.Path
	e, closed, unseen := t.entries.at(port(host))
	if res.Closed, res.Note = closed, unseen; closed != "" {
		return res
	}
	t.decide(&res, e, req, host, u)
	return res
}

// MatchOn is Match for a request that came in by an entry of that name, whoever reaches it.
func (t *Table) MatchOn(entry, method, host, path string) (res Result) {
	req, u, ok := t.newRequest(method, host, path)
	i := slices.IndexFunc(t.entries.All, func(e Entry) bool { return strings.EqualFold(e.Name, entry) })
	if !ok || i < 0 {
		return Result{Unknown: "the path is not one of a valid request"}
	}
	res.Asked.Host, res.Asked.Path = req.Host, req.Path
	t.decide(&res, &t.entries.All[i], req, host, u)
	return res
}

func (t *Table) decide(res *Result, e *Entry, req *Request, host string, u *url.URL) {
	if e != nil {
		res.Entry = e.Name
	}
	if t.run != nil {
		t.follow(res, e, req, host, u)
	} else {
		t.match(res, e, req, host, u)
	}
	if t.behind != nil {
		t.goOn(res, req, host, u)
	}
}

func (t *Table) match(res *Result, e *Entry, req *Request, host string, u *url.URL) {
	for i, r := range t.Routers {
		got, why := t.try(r, e, req)
		res.Tried = append(res.Tried, Attempt{Router: r, Matched: got == Yes, Why: why})
		if got == No {
			continue
		}
		tied := []*Router{r}
		for _, o := range t.Routers[i+1:] {
			if o.Priority != r.Priority {
				break
			}
			if !t.rival(r, o) {
				continue
			}
			other, otherWhy := t.try(o, e, req)
			if other == Maybe && got == Yes {
				r, got, why = o, Maybe, otherWhy
			}
			if other != No {
				tied = append(tied, o)
			}
		}
		if got == Maybe {
			res.Unknown = fmt.Sprintf("whether router %q matches depends on %s", r.Name, why)
			return
		}
		if len(tied) > 1 {
			res.Tie = tied
		}
		for _, o := range t.Routers[i+1:] {
			if match, _ := t.try(o, e, req); match == Yes && o != r && !slices.Contains(tied, o) {
				res.Behind = append(res.Behind, o)
			}
		}
		apart := ""
		if e == nil && res.Tie == nil {
			r, apart = t.apart(r, res.Behind)
			res.Behind = slices.DeleteFunc(res.Behind, func(o *Router) bool { return o == r })
		}
		t.answer(res, r, e, host, u)
		if res.Unknown == "" {
			res.Unknown = apart
		}
		return
	}
}

// apart looks at the routers behind the first, which do the same request's work on other entrypoints: where it
// cannot be seen which of them is asked, it is the one by whose name people mean port 443, or else unknown.
func (t *Table) apart(r *Router, behind []*Router) (first *Router, unknown string) {
	if len(r.EntryPoints) == 0 || r.usual() {
		return r, ""
	}
	for _, o := range behind {
		switch {
		case t.meets(r, o) || r.Target != "" && r.Target == o.Target:
		case o.usual():
			return o, ""
		case unknown == "":
			unknown = fmt.Sprintf("which entrypoint is asked cannot be seen: router %q is on %s, router %q on %s", r.Name, strings.Join(r.EntryPoints, ", "), o.Name, strings.Join(o.EntryPoints, ", "))
		}
	}
	return r, unknown
}

// usual tells whether a router is on an entrypoint whose name says that it is the one for HTTPS.
func (r *Router) usual() bool {
	return slices.ContainsFunc(r.EntryPoints, func(e string) bool {
		return slices.Contains([]string{"websecure", "web-secure", "web_secure", "https", "secure"}, strings.ToLower(e))
	})
}

// Lost lists the routers that would have taken the request, or might have, if Traefik did not drop them or
// could read their rule as it is meant. Each of them has a Problem, or shares one with its container.
func (t *Table) Lost(method, host, path string) []*Router {
	req, _, ok := t.newRequest(method, host, path)
	if !ok {
		return nil
	}
	var list []*Router
	if t.run != nil {
		return nil
	}
	for _, r := range t.Routers {
		never := false
		matched := Maybe
		if r.Expr != nil {
			matched, _ = r.Expr.match(req)
			r.Expr.Walk(func(m *Matcher) { never = never || m.Never != "" })
		}
		e, _, _ := t.entries.at(port(host))
		nowhere := len(r.EntryPoints) > 0 && len(t.entries.All) > 0 && !slices.ContainsFunc(t.entries.All, func(e Entry) bool { return r.on(&e) })
		unreachable := r.Dropped != "" || nowhere || !t.hearsTLS(r, e) && !r.PlainHTTP
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

func (t *Table) try(r *Router, e *Entry, req *Request) (Truth, string) {
	switch {
	case r.Dropped != "":
		return No, "dropped: " + r.Dropped
	case r.PlainHTTP:
		return No, "it only sends plain HTTP to HTTPS"
	case e != nil && !r.on(e):
		return No, fmt.Sprintf("it is not on the entrypoint %q", e.Name)
	case !t.hearsTLS(r, e):
		return No, "it has no tls, so HTTPS does not reach it"
	}
	got, why := r.Expr.match(req)
	return got, strings.Join(why, ", ")
}

// hearsTLS tells whether HTTPS reaches a router: by tls of its own or of the entrypoint. Where nothing at all has
// tls, it ends before the proxy.
func (t *Table) hearsTLS(r *Router, e *Entry) bool {
	return r.TLS || !t.hasTLS || e != nil && e.TLS || e == nil && t.entries.secure(r)
}

// answer sends the request through the middlewares of the entry and of the router to its service.
func (t *Table) answer(res *Result, r *Router, e *Entry, host string, u *url.URL) {
	res.Router = r
	res.Unknown = r.Unchecked
	f := &Flow{Host: host, URL: u}
	steps := r.Steps
	if e != nil {
		res.Unknown = cmp.Or(e.Unchecked, res.Unknown)
		steps = slices.Concat(e.Steps, steps)
	}
	for _, s := range steps {
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
	res.Passes = r.Passes
	res.serve(r.To, t.alike)
}

// serve sets the backend of a service, where it has one.
func (res *Result) serve(s *Service, alike func(a, b string) bool) {
	if s == nil || len(s.Backends) == 0 {
		return
	}
	b := s.Backends[0]
	res.Backend = &b
	for _, o := range s.Backends[1:] {
		if o.Container != b.Container {
			if res.Unknown == "" {
				res.Among = s.Backends
			}
			if alike != nil && alike(o.Container, b.Container) {
				continue
			}
			res.Unknown = fmt.Sprintf("containers %q and %q share the service %q", b.Container, o.Container, s.Name)
		}
	}
}

// port is that of a host, 443 where it has none.
func port(host string) string {
	if _, p, err := net.SplitHostPort(host); err == nil && p != "" {
		return p
	}
	return "443"
}

// canonicalHost gives the host without port in lower case.
func canonicalHost(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return Fold(strings.TrimSpace(host))
}

// Fold gives a host in lower case, but for the names of variables in braces, which are told apart by case.
func Fold(host string) string {
	before, rest, ok := strings.Cut(host, "{")
	name, after, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return strings.ToLower(host)
	}
	return strings.ToLower(before) + "{" + name + "}" + Fold(after)
}
