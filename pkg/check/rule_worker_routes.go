package check

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var workerAnswers = Rule{
	ID: "worker-answers", Severity: finding.Error,
	Summary: "what is routed to a process of Synapse is what that process answers",
	Why:     "A worker has status 404 for what the main process alone answers: nobody can log out, phones get no notifications. A process that does not write the stream of a request fails with status 500: \"Got /typing request on instance that is not typing writer\".",
	Fix:     "Route to workers what docs/workers.md lists, requests of a stream to its writer, media to a process with enable_media_repo, and the rest to the main process.",
	Source:  "Synapse 1.163.2 docs/workers.md, rest/__init__.py, rest/client/room.py, rest/client/push_rule.py, storage/databases/main/deviceinbox.py, receipts.py; its own resource trees",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			workers, _ := d.WorkersOf(s)
			if len(workers) == 0 || !routed(r, d) {
				continue
			}
			clients := func(l deployment.Listener) bool { return slices.Contains(l.Resources, "client") }
			if ls := s.Listeners(); !s.Partial() && len(ls) > 0 && !slices.ContainsFunc(ls, clients) && led(d, s.Service) {
				r.Fail(fmt.Sprintf("no listener of %s serves clients, and what no worker answers comes to it; nobody can log in", s.Name), "names: [client, federation]", s.Config.At("listeners").Site(""))
			}
			a := answering{d: d, s: s, workers: workers}
			for i, host := range s.Hosts() {
				a.ask(r, host, i == 0)
			}
			a.tell(r)
		}
	},
}

// led reports whether something other than Synapse sends requests to a service, such as a proxy.
func led(d *deployment.Deployment, s *deployment.Service) bool {
	leads := func(svc *route.Service) bool {
		return slices.ContainsFunc(svc.Backends, func(b route.Backend) bool { return d.Service(b.Container) == s })
	}
	return slices.ContainsFunc(d.Routes().Services, leads) ||
		slices.ContainsFunc(d.Hops(), func(t deployment.Talk) bool { return t.To == s && t.From.Program != component.Synapse })
}

// answering looks for the requests to a homeserver that come to a process which does not answer them.
type answering struct {
	d       *deployment.Deployment
	s       *deployment.Synapse
	workers []*deployment.Worker
	// unanswered are in the order in which they were found.
	unanswered []*misrouted
	silent     []string              // why something was not checked, each once
	unread     []*deployment.Service // workers of which is not known what they answer
}

// misrouted are requests that one router sends to one process, and that it does not answer for one reason.
type misrouted struct {
	router   *route.Router
	to       *deployment.Service
	why, fix string
	at       []source.Site
	requests []string
	lost     []string
	// streams are those that the process would have to write, and whom to lead their requests to.
	streams, writers []string
	// nowhere is the address where nobody is; "" where to gets them.
	nowhere string
}

// nobody reports whether a server behind the first proxy has a name that no service has.
func (a *answering) nobody(b route.Backend) bool {
	st := a.d.Stray(b)
	return st != nil && st.Elsewhere == "" && !st.Shut && !st.Itself
}

// deaf reports whether a worker listens at other ports than this one, or at none.
func (a *answering) deaf(p *process, port string) bool {
	if !p.config.Root().Set() || p.worker.Partial() {
		return false
	}
	return !a.d.Listens(p.Service, port) || len(p.config.At("worker_listeners").Items()) == 0
}

// process is one of a homeserver: its configuration, and whether it is a worker.
type process struct {
	*deployment.Service
	config *source.File
	worker *deployment.Worker
}

// name is what stream_writers calls it.
func (p process) name() string {
	if p.worker == nil {
		return "master"
	}
	return p.worker.Named().Str()
}

// processOf gives that of a container; nil where it is none of the homeserver, or its configuration cannot be seen.
func (a *answering) processOf(container string) *process {
	if container == a.s.Name {
		return &process{Service: a.s.Service, config: a.s.Config}
	}
	for _, w := range a.workers {
		if w.Name == container {
			return &process{w.Service, w.Config, w}
		}
	}
	return nil
}

// exists reports whether the homeserver knows a path that needs a setting.
func (a *answering) exists(needs string) bool {
	c := a.s.Config
	switch needs {
	case component.NeedsMAS:
		return a.s.Delegates()
	case component.NeedsNoMAS:
		return !a.s.Delegates() && !a.s.Msc3861().At("enabled").True()
	case component.NeedsThreads:
		return c.At("experimental_features", "msc4306_enabled").True()
	case component.NeedsOIDC:
		return len(c.At("oidc_providers").Items()) > 0 && !a.s.Delegates()
	case component.NeedsCAS:
		return c.At("cas_config", "enabled").True() && !a.s.Delegates()
	case component.NeedsSAML:
		return c.At("saml2_config").Set() && !a.s.Delegates()
	}
	return true
}

// ask sends one request of each kind to a host. Clients know one alone, other servers may know another.
func (a *answering) ask(r *Reporter, host string, clients bool) {
	for i := range component.MainOnly {
		if only := &component.MainOnly[i]; clients && only.Example != "" && a.exists(only.Needs) {
			a.follow(r, host, only.Example, nil, nil, only)
		}
	}
	for i := range component.WorkerGroups {
		g := &component.WorkerGroups[i]
		for j := range g.Routes {
			if !clients && !strings.HasPrefix(g.Routes[j].Path, "^/_matrix/federation/") && !strings.HasPrefix(g.Routes[j].Path, "^/_matrix/key/") {
				continue
			}
			// A path that came late may well be the same in a process that does not know it yet: nobody asks for it.
			if route := &g.Routes[j]; a.exists(route.Needs) && (route.Since == component.Version{} || !before(a.s, route.Since)) {
				a.follow(r, host, route.Example, g, route, nil)
			}
		}
	}
}

// follow sends one request, and keeps it where a process that may get it does not answer it.
func (a *answering) follow(r *Reporter, host, request string, g *component.WorkerGroup, wr *component.WorkerRoute, only *component.MainRoute) {
	method, path, _ := strings.Cut(request, " ")
	res := a.d.Routes().Match(method, host, path)
	backends := res.Among
	if backends == nil && res.Backend != nil {
		backends = []route.Backend{*res.Backend}
	}
	if res.Router == nil || res.Redirect != "" || res.Refused != "" || res.Unknown != "" && res.Among == nil {
		if res.Unknown != "" {
			a.quiet(r, res.Unknown, routerSite(res, a.s.Service))
		}
		return
	}
	for _, b := range backends {
		p := a.processOf(b.Container)
		switch {
		case p == nil && len(res.Through) > 0 && a.nobody(b):
			a.keep(&misrouted{
				router: res.Router, to: a.s.Service, why: "a name that no service has: " + b.Address, lost: []string{"they are answered with status 503, or by whom that proxy has stand in"},
				at: []source.Site{b.Site}, fix: "the name of a service", nowhere: b.Address,
			}, request)
			continue
		case p != nil && p.worker != nil && len(res.Through) > 0 && a.deaf(p, p.BackendPort(b)):
			a.keep(&misrouted{
				router: res.Router, to: p.Service, why: "which does not listen at port " + p.BackendPort(b), lost: []string{"they are answered with status 503, or by whom that proxy has stand in"},
				at: []source.Site{b.Site, p.config.At("worker_listeners").Site("")}, fix: "the port of a listener of " + p.Name,
			}, request)
			continue
		case p == nil || res.Path != "" && res.Path != res.Asked.Path && unescaped(res.Path) != unescaped(res.Asked.Path):
			continue // of another path that the proxy asks for, other rules tell
		case p.worker != nil && only == nil && (!p.config.Root().Set() || p.worker.Partial()):
			if !slices.Contains(a.unread, p.Service) {
				a.unread = append(a.unread, p.Service)
			}
			continue
		}
		if m := a.unfit(p, p.BackendPort(b), method, path, g, wr, only); m != nil {
			m.router = res.Router
			a.keep(m, request)
		}
	}
}

func (a *answering) quiet(r *Reporter, why string, at source.Site) {
	if !slices.Contains(a.silent, why) {
		a.silent = append(a.silent, why)
		r.NotChecked(why, at)
	}
}

func (a *answering) keep(m *misrouted, request string) {
	for _, o := range a.unanswered {
		if o.router == m.router && o.to == m.to && o.why == m.why {
			o.requests = deployment.Unique(append(o.requests, request))
			o.lost = deployment.Unique(append(o.lost, m.lost...))
			if len(m.streams) > 0 && !slices.Contains(o.streams, m.streams[0]) {
				o.streams, o.writers, o.at = append(o.streams, m.streams[0]), append(o.writers, m.writers[0]), append(o.at, m.at...)
			}
			return
		}
	}
	m.requests = []string{request}
	a.unanswered = append(a.unanswered, m)
}

// unfit says why a process does not answer a request at one of its ports; nil where it does, or it cannot be told.
func (a *answering) unfit(p *process, port, method, path string, g *component.WorkerGroup, wr *component.WorkerRoute, only *component.MainRoute) *misrouted {
	main := a.s.Name
	if only != nil {
		if p.worker == nil {
			return nil
		}
		return &misrouted{to: p.Service, why: "a worker, which has status 404 for what the main process alone answers", lost: []string{only.Lost}, fix: "lead to " + p.Name + " only what workers answer, and the rest to " + main}
	}
	if g.Resource == "media" && deployment.IsFalse(p.config.At("enable_media_repo")) && p.config.At("worker_app").Str() != "synapse.app.media_repository" {
		off := p.config.At("enable_media_repo")
		return &misrouted{
			to: p.Service, why: "which has enable_media_repo: false, and status 404 for media", lost: []string{lostMedia(path)},
			at: []source.Site{off.Site("")}, fix: "enable_media_repo: true there, or another process that has it",
		}
	}
	if l := listenerAt(a.d, p.Service, port); p.worker != nil && l != nil && !l.serves(g.Resource, path) {
		return &misrouted{
			to: p.Service, why: fmt.Sprintf("whose listener at port %s has %s and not %s, and which answers with status 404", port, cmp.Or(finding.Sentence(l.Resources, "and"), "no resource"), g.Resource),
			lost: []string{"these requests fail"}, at: []source.Site{l.PortAt().Site(""), l.Value.At("resources").Site("")}, fix: "names: [" + strings.Join(append(slices.Clone(l.Resources), g.Resource), ", ") + "] in that listener",
		}
	}
	stream := component.StreamOf(g.Stream)
	if stream == nil || stream.Refused == "" || slices.Contains(wr.Reads, method) || before(a.s, stream.Since) || p.Partial() {
		return nil
	}
	if _, tagged := a.s.Image.Version(); !tagged && component.Of(component.Synapse).Oldest.Less(stream.Since) {
		return nil // whether its release has the stream cannot be seen
	}
	at := p.config.At("stream_writers", stream.Name)
	writers := []string{"master"}
	if at.Set() {
		writers = nil
		for _, v := range oneOrMore(at) {
			writers = append(writers, v.Str())
		}
	}
	here := func(name string) bool {
		return name == "master" || slices.ContainsFunc(a.workers, func(w *deployment.Worker) bool { return w.Named().Str() == name })
	}
	if !slices.ContainsFunc(writers, here) {
		return nil // worker-starts says that nobody writes it
	}
	if slices.Contains(writers, p.name()) || stream.Name == "quarantined_media_changes" && p.worker == nil {
		return nil
	}
	who := finding.Sentence(writers, "or")
	if who == "master" {
		who = main
	}
	m := &misrouted{to: p.Service, lost: []string{writes[stream.Name]}, streams: []string{stream.Name}, writers: []string{who}}
	if at.Set() {
		m.at = []source.Site{at.Site("")}
	}
	return m
}

// lostMedia is what people miss where nobody answers a request for media.
func lostMedia(path string) string {
	if strings.HasPrefix(path, "/_synapse/admin/") {
		return "administrators can remove no media"
	}
	return "no picture can be sent or seen"
}

// unescaped is a path without its escapes.
func unescaped(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}

// writes is what people miss where nobody writes a stream that they ask for.
var writes = map[string]string{
	"typing": "nobody sees who is typing", "to_device": "keys of encrypted rooms do not arrive", "receipts": "nothing becomes read",
	"push_rules": "notifications cannot be set", "thread_subscriptions": "threads cannot be followed", "quarantined_media_changes": "no media can be put into quarantine",
}

// listenerOf is a listener of Synapse with what it serves.
type listenerOf struct{ deployment.Listener }

// listenerAt is the listener of a process at a port; nil where there is none, or it is not known.
func listenerAt(d *deployment.Deployment, s *deployment.Service, port string) *listenerOf {
	ls, known := d.Listeners(s)
	i := slices.IndexFunc(ls, func(l deployment.Listener) bool { return l.Port == port })
	if !known || i < 0 {
		return nil
	}
	return &listenerOf{ls[i]}
}

// serves reports whether the listener has the resource of a request. client and federation have media's paths below their own.
func (l *listenerOf) serves(resource, path string) bool {
	has := func(name string) bool { return slices.Contains(l.Resources, name) }
	switch {
	case has(resource), strings.HasPrefix(path, "/_matrix/client/v1/media/") && has("client"), strings.HasPrefix(path, "/_matrix/federation/v1/media/") && has("federation"):
		return true
	case strings.HasPrefix(path, "/_matrix/key/"):
		return has("keys")
	}
	return false
}

// tell reports what one process does not answer for one reason as one finding, by however many routers it comes there.
func (a *answering) tell(r *Reporter) {
	if len(a.unread) > 0 {
		var names []string
		var sites []source.Site
		for _, s := range a.unread {
			names, sites = append(names, s.Name), append(sites, s.Site(""))
		}
		r.NotChecked("what "+finding.Sentence(names, "and")+" answer cannot be seen without their configuration", sites...)
	}
	slices.SortStableFunc(a.unanswered, func(m, o *misrouted) int {
		return cmp.Or(cmp.Compare(m.router.Site.File, o.router.Site.File), cmp.Compare(m.router.Site.Line, o.router.Site.Line))
	})
	for left := a.unanswered; len(left) > 0; {
		first := left[0]
		var same []*misrouted
		left = slices.DeleteFunc(slices.Clone(left), func(m *misrouted) bool {
			is := m.to == first.to && m.why == first.why
			if is {
				same = append(same, m)
			}
			return is
		})
		severally(r, same, func(m *misrouted) []source.Site { return []source.Site{m.router.Site} }, sayMisrouted)
	}
}

func sayMisrouted(r *Reporter, same []*misrouted) {
	all := *same[0]
	sites := []source.Site{all.router.Site, all.to.Site("")}
	for _, m := range same[1:] {
		sites = append(sites, m.router.Site)
		all.requests, all.lost = append(all.requests, m.requests...), append(all.lost, m.lost...)
		for i, stream := range m.streams {
			if !slices.Contains(all.streams, stream) {
				all.streams, all.writers, all.at = append(all.streams, stream), append(all.writers, m.writers[i]), append(all.at, m.at...)
			}
		}
	}
	requests, lost := deployment.Unique(all.requests), deployment.Unique(all.lost)
	what, is := requests[0], "is"
	switch n := len(requests) - 1; {
	case n == 1:
		what, is = what+" and "+requests[1], "are"
	case n > 1:
		what, is = fmt.Sprintf("%s and %d more kinds of requests", what, n), "are"
	}
	if len(lost) > 3 {
		lost = lost[:3]
	}
	if n := len(all.streams); n > 0 {
		word, whom := "stream ", make([]string, n)
		if n > 1 {
			word = "streams "
		}
		for i, stream := range all.streams {
			whom[i] = stream + " to " + all.writers[i]
		}
		all.why = "which does not write the " + word + finding.Sentence(all.streams, "and") + " and fails with status 500"
		all.fix = "lead what writes " + finding.Sentence(whom, "and") + ", or name the process in stream_writers"
	}
	who := all.to.Name
	if all.nowhere != "" {
		who, sites = all.nowhere, nil
		all.why, all.at = "a name that no service has", append(all.at, all.router.Site)
	}
	r.Fail(fmt.Sprintf("%s %s sent to %s, %s: %s", what, is, who, all.why, finding.Sentence(lost, "and")), all.fix, append(sites, all.at...)...)
}
