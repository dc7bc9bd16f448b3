package compare

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/route"
)

// asked are requests of clients, servers and people, on every host that either side knows. What the rules of both name
// is asked for, too.
var asked = []request{
	{"GET", "/"},
	{"GET", "/.well-known/matrix/client"},
	{"GET", "/.well-known/matrix/server"},
	{"GET", "/.well-known/matrix/support"},
	{"GET", "/.well-known/openid-configuration"},
	{"GET", "/_matrix/client/versions"},
	{"GET", "/_matrix/client/v3/login"},
	{"POST", "/_matrix/client/v3/login"},
	{"OPTIONS", "/_matrix/client/v3/login"},
	{"GET", "/_matrix/client/v3/login/sso/redirect/oidc-x"},
	{"POST", "/_matrix/client/v3/logout"},
	{"POST", "/_matrix/client/v3/logout/all"},
	{"POST", "/_matrix/client/v3/refresh"},
	{"POST", "/_matrix/client/r0/login"},
	{"POST", "/_matrix/client/unstable/logout"},
	{"POST", "/_matrix/client/v3/register"},
	{"GET", "/_matrix/client/v3/sync"},
	{"POST", "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync"},
	{"GET", "/_matrix/client/v1/auth_metadata"},
	{"GET", "/_matrix/client/v3/account/whoami"},
	{"PUT", "/_matrix/client/v3/user/@a:example.org/account_data/login"},
	{"PUT", "/_matrix/client/v3/rooms/%21r%3Aexample.org/state/logout"},
	{"POST", "/_matrix/client/v3/keys/query"},
	{"GET", "/_matrix/client/v1/media/download/example.org/abc"},
	{"GET", "/_matrix/media/v3/download/example.org/abc"},
	{"POST", "/_matrix/media/v3/upload"},
	{"GET", "/_matrix/federation/v1/version"},
	{"PUT", "/_matrix/federation/v1/send/1"},
	{"GET", "/_matrix/key/v2/server"},
	{"GET", "/_synapse/client/pick_idp"},
	{"GET", "/_synapse/client/oidc/callback"},
	{"GET", "/_synapse/admin/v1/server_version"},
	{"GET", "/_synapse/mas/query_user"},
	{"GET", "/_synapse/metrics"},
	{"GET", "/health"},
	{"GET", "/metrics"},
	{"GET", "/auth"},
	{"GET", "/auth/"},
	{"GET", "/auth/.well-known/openid-configuration"},
	{"POST", "/auth/oauth2/token"},
	{"GET", "/auth/assets/shared.css"},
	{"GET", "/login"},
	{"GET", "/authorize"},
	{"POST", "/oauth2/token"},
	{"GET", "/assets/shared.css"},
	{"GET", "/account/"},
	{"GET", "/config.json"},
	{"GET", "/stackgen-nobody-has-this"},
}

// maxHosts and maxPaths bound what is asked, whatever the rules of a large proxy name.
const (
	maxHosts = 30
	maxPaths = 150
)

// requests asks both proxies the same.
func (c *comparison) requests() {
	if len(c.old.Routes().Routers) == 0 || len(c.ours.Routes().Routers) == 0 {
		if len(c.old.Routes().Routers)+len(c.ours.Routes().Routers) > 0 {
			c.Unseen = append(c.Unseen, "what is routed where: one side has no proxy that can be seen")
		}
		return
	}
	c.routed = true
	var hosts, paths []string
	for _, s := range []*side{c.old, c.ours} {
		for _, r := range s.Routes().Routers {
			hosts = append(hosts, r.Hosts()...)
			r.Expr.Walk(func(m *route.Matcher) {
				if m.Kind != route.Path {
					return
				}
				paths = append(paths, m.Named...)
				for _, p := range m.Prefixes {
					paths = append(paths, strings.TrimSuffix(p, "/")+"/x")
				}
			})
		}
		for _, syn := range s.Synapses {
			hosts = append(hosts, syn.Hosts()...)
		}
	}
	requests := slices.Clone(asked)
	for _, p := range bounded(paths, maxPaths) {
		requests = append(requests, request{"GET", p})
	}
	seen := make(map[string]bool)
	requests = slices.DeleteFunc(requests, func(q request) bool {
		had := seen[q.method+q.path]
		seen[q.method+q.path] = true
		return had
	})
	groups := make(map[id]int) // where in the list are those that change in the same way
	for _, host := range bounded(hosts, maxHosts) {
		for _, q := range requests {
			c.request(q, host, groups)
			if c.apart(q, host) {
				c.request(q, host+":8448", groups)
			}
		}
	}
}

type request struct{ method, path string }

// bounded are the texts without repetitions, at most so many.
func bounded(texts []string, most int) []string {
	slices.Sort(texts)
	texts = slices.DeleteFunc(slices.Compact(texts), func(t string) bool { return t == "" || strings.ContainsAny(t, " {}") })
	return texts[:min(len(texts), most)]
}

// request asks one thing on both sides. What changes in the same way on one host is one difference.
func (c *comparison) request(q request, host string, groups map[id]int) {
	old, oldEntry := c.old.answer(q, host)
	now, nowEntry := c.ours.answer(q, host)
	if old.shown != nobody && now.shown != nobody && oldEntry.other(nowEntry) {
		old.text, old.shown, now.text, now.shown = old.text+oldEntry.String(), old.shown+oldEntry.String(), now.text+nowEntry.String(), now.shown+nowEntry.String()
	}
	if old.text == now.text {
		c.Equal++
		return
	}
	for _, f := range []fact{old, now} {
		if reason, hidden := strings.CutPrefix(f.text, untold); hidden && strings.HasPrefix(reason, "whether ") { // and not what a middleware adds
			if reason = "what is routed where, " + reason; !slices.Contains(c.Unseen, reason) {
				c.Unseen = append(c.Unseen, reason)
			}
			return
		}
	}
	k := id{theStack, "requests", q.method + " " + host + q.path}
	v := c.judge(k, old, now, onBoth)
	group := id{host, first(old.text) + " → " + first(now.text), v.why}
	i, had := groups[group]
	if !had {
		groups[group] = len(c.Differences)
		c.Differences = append(c.Differences, c.difference(k, old, now, v))
		return
	}
	c.Differences[i].Also = append(c.Differences[i].Also, q.method+" "+q.path)
}

// first is who answers, without what it is asked for.
func first(answer string) string {
	who, _, _ := strings.Cut(answer, ", asked for ")
	return who
}

// apart reports whether port 8448, on which other servers may ask, is another way in than 443 on one of the sides.
func (c *comparison) apart(q request, host string) bool {
	return slices.ContainsFunc([]*side{c.old, c.ours}, func(s *side) bool {
		usual, _ := s.answer(q, host)
		other, _ := s.answer(q, host+":8448")
		return usual.text != other.text
	})
}

const (
	nobody = "nobody"
	untold = "it cannot be told: " // begins an answer that hangs on what is not here
)

// entry is by which way a request comes in, where that is known.
type entry struct {
	points   []string
	resolver string // of its certificate
}

// other reports whether the two have no way in common, or certificates of two resolvers. What one of several ways is for,
// such as the port of other servers, is asked by itself.
func (e entry) other(o entry) bool {
	if e.resolver != o.resolver {
		return len(e.points)+len(o.points) > 0
	}
	return len(e.points) > 0 && len(o.points) > 0 && !slices.ContainsFunc(e.points, func(p string) bool { return slices.Contains(o.points, p) })
}

func (e entry) String() (text string) {
	if len(e.points) > 0 {
		text = ", on " + strings.Join(e.points, ", ")
	}
	if e.resolver != "" {
		text += ", with a certificate of " + e.resolver
	}
	return text
}

// answer is what becomes of a request, in words that are the same on both sides for the same thing, and by which way it comes in.
func (s *side) answer(q request, host string) (f fact, in entry) {
	res := s.Routes().Match(q.method, host, q.path)
	way := res.Through // of the proxies before the one that decides
	if res.Router != nil {
		way = append(slices.Clone(way), res.Router)
		f.at = way[0].Site.Pos
	}
	var words []string
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	switch {
	case res.Unknown != "":
		say(untold+"%s", res.Unknown)
	case res.Redirect != "":
		say("sent on to %s", res.Redirect)
	case res.Closed != "", res.Router == nil, strings.HasPrefix(res.Refused, "404"):
		say(nobody)
	case res.Refused != "":
		say("refused: %s", res.Refused)
	case res.Answer != "":
		say("the proxy itself: %s", res.Answer)
	case res.Backend == nil && res.Router.Service == "":
		say(nobody)
	case res.Backend == nil:
		say("the proxy itself, by %s", res.Router.Service)
	default:
		s.backend(res, say)
	}
	if res.Tie != nil {
		say("or another router of the same priority")
	}
	f.text = strings.Join(words, ", ")
	f.shown = f.text
	if len(way) > 0 && f.text != nobody {
		for _, r := range way {
			for _, m := range s.through(r) {
				f.text += through + m.raw
				f.shown += through + m.shown
			}
		}
		in = entry{way[0].EntryPoints, way[0].CertResolver}
	}
	return f, in
}

func (s *side) backend(res route.Result, say func(string, ...any)) {
	svc := s.Service(res.Backend.Container)
	if svc == nil {
		say("%s:%s", res.Backend.Container, res.Backend.Port)
		return
	}
	if s.homeserver(svc) {
		say("synapse")
		return
	}
	say("%s", s.whom(svc))
	if port := svc.BackendPort(*res.Backend); port == "" { // Docker knows which, by the image
	} else if !s.Listens(svc, port) {
		say("at port %s, where nobody listens", port)
	} else if svc.Program == "" {
		say("at port %s", port)
	}
	switch path, below := s.below(svc, res); {
	case !below:
		say("asked for %s, which is outside of its listener's prefix", res.Path)
	case path != res.Asked.Path:
		say("asked for %s", path)
	}
}

// homeserver reports whether a service answers for Synapse: a process besides the main one, or what leads to all of them.
func (s *side) homeserver(svc *deployment.Service) bool {
	return len(s.Workers) > 0 && svc.Program == component.HAProxy || slices.ContainsFunc(s.Workers, func(w *deployment.Worker) bool { return w.Service == svc && w.Main != nil })
}

// below is the path that a service is asked for: of MAS, relative to the prefix of its listener. It is false where no
// listener has such a prefix.
func (s *side) below(svc *deployment.Service, res route.Result) (path string, ok bool) {
	for _, m := range s.MASs {
		if m.Service != svc {
			continue
		}
		port, all := svc.BackendPort(*res.Backend), deployment.MasListeners(m)
		if !slices.ContainsFunc(all, func(l deployment.Listener) bool { return l.Port == port }) {
			break
		}
		for _, l := range all {
			if rest, cut := strings.CutPrefix(res.Path, l.Prefix); cut && l.Port == port {
				return "/" + rest, true
			}
		}
		return res.Path, false
	}
	return res.Path, true
}

// traced are the middlewares whose work is in the answer already.
var traced = []string{"stripprefix", "stripprefixregex", "addprefix", "replacepath", "replacepathregex", "redirectregex", "redirectscheme"}

// through are the other middlewares of a router: raw says all that they do, shown only of what kind that is, for there may
// be secrets in it.
func (s *side) through(r *route.Router) (list []fact) {
	for _, ref := range r.Middlewares {
		name, _, _ := strings.Cut(ref, "@")
		prefix := strings.ToLower("traefik.http.middlewares." + name + ".")
		var options, kinds []string
		known := false
		for _, svc := range s.Services {
			for _, l := range s.Container(svc).Labels {
				option, ok := strings.CutPrefix(strings.ToLower(l.Key), prefix)
				kind, _, _ := strings.Cut(option, ".")
				if known = known || ok; ok && !slices.Contains(traced, kind) {
					options, kinds = append(options, option+"="+l.Value), append(kinds, kind)
				}
			}
		}
		slices.Sort(options)
		slices.Sort(kinds)
		switch {
		case len(options) > 0:
			list = append(list, fact{raw: strings.Join(slices.Compact(options), " "), shown: strings.Join(slices.Compact(kinds), " and ")})
		case !known && !s.traced(ref):
			list = append(list, fact{raw: ref, shown: ref})
		}
	}
	return list
}

// traced tells of a middleware of a file that its work is in the answer.
func (s *side) traced(ref string) bool {
	return slices.ContainsFunc(s.Routes().Middlewares, func(m *route.Middleware) bool {
		return strings.EqualFold(m.Name, ref) && slices.Contains(traced, m.Type)
	})
}
