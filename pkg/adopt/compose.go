package adopt

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/source"
)

// project lays what is left of somebody's compose files onto the rendered one.
type project struct {
	*reader
	over     *source.Node
	roles    map[string]string // what services do that are rendered, by what they were called
	ours     map[string]string // what they are called now
	replaced map[string]bool   // services whose work rendered ones do
	kept     []*deployment.Service
	defined  map[string]bool // networks of theirs that stay
	volumes  map[string]bool // and volumes, besides those of the kept services
	read     *compose.Project
	files    *copier
}

// layCompose has the spec keep the services that it has no words for, and of those that are rendered what does not come
// from it.
func (r *reader) layCompose(tree *source.Node, d *Draft) error {
	bundle, err := r.render(tree)
	if err != nil {
		return err
	}
	p := &project{reader: r, over: &source.Node{Kind: source.Mapping}, roles: make(map[string]string), ours: make(map[string]string), replaced: make(map[string]bool), defined: make(map[string]bool), volumes: make(map[string]bool), read: compose.Of(r.d)}
	p.files = &copier{reader: r, tree: tree, draft: d, bundle: bundle}
	p.sort()
	for _, s := range p.kept {
		p.keep(s)
	}
	for _, s := range r.d.Services {
		if name := p.ours[s.Name]; name != "" && p.roles[s.Name] != "" {
			p.settings(s, p.roles[s.Name], name)
		}
	}
	p.elsewhere()
	p.data(tree)
	p.definitions(tree)
	if len(p.over.Names()) > 0 {
		r.put(tree, []string{"compose", "extra"}, p.over)
	}
	return nil
}

// sort says of each service whether it is rendered, replaced or kept.
func (p *project) sort() {
	rendered := make(map[*deployment.Service]string)
	rendered[p.syn.Service] = "synapse"
	if p.mas != nil {
		rendered[p.mas.Service] = "mas"
	}
	if s := p.server(); s != nil {
		rendered[s] = "postgres"
	}
	if len(p.d.Elements) > 0 {
		rendered[p.d.Elements[0].Service] = "element"
	}
	if lk, jwt := p.callers(); lk != nil {
		rendered[lk.Service], rendered[jwt.Service] = "livekit", "lk-jwt"
	}
	if t := p.relay(); t != nil {
		rendered[t.Service] = "coturn"
	}
	if a := p.administered(); a != nil {
		rendered[a.Service] = "ketesa"
	}
	for program, b := range p.taken() {
		rendered[b.Service] = string(program)
	}
	for _, s := range p.d.Services {
		name := rendered[s]
		switch {
		case name != "":
			p.roles[s.Name], p.ours[s.Name] = name, p.role(name)
		case p.wholly(s):
			p.ours[s.Name] = s.Name
		case p.job(s):
			p.replaced[s.Name] = true
		case p.worker(s):
			p.replaced[s.Name] = true
		case p.redis(s):
			p.replaced[s.Name] = true
		default:
			p.kept = append(p.kept, s)
		}
	}
}

// wholly reports whether the spec says all of a service of somebody else's.
func (p *project) wholly(s *deployment.Service) bool {
	_, said := p.reader.said[s]
	return said
}

// job reports whether a service does what db-init or syn2mas of the rendered stack does.
func (p *project) job(s *deployment.Service) bool {
	return s.Program == component.MAS && slices.Contains(s.Command(), "syn2mas") ||
		s.Program == component.Postgres && slices.ContainsFunc(p.d.Jobs(), func(j deployment.Job) bool { return j.Service == s && len(j.Scripts) > 0 })
}

// redis reports whether by a service the processes of Synapse speak to each other, and nobody else comes to it: Valkey takes its place.
func (p *project) redis(s *deployment.Service) bool {
	host := p.syn.Config.At("redis", "host").Str()
	if len(p.spec.Synapse.Workers) == 0 || host == "" || p.d.ServiceAt(host) != s {
		return false
	}
	return !slices.ContainsFunc(p.d.Services, func(other *deployment.Service) bool {
		after := slices.ContainsFunc(other.DependsOn, func(w deployment.Wait) bool { return w.Service == s.Name })
		return after && other != p.syn.Service && !p.worker(other)
	})
}

func (p *project) worker(s *deployment.Service) bool {
	return slices.ContainsFunc(p.d.Workers, func(w *deployment.Worker) bool { return w.Service == s })
}

// called is the name of a kept service: its own, unless a rendered one has that.
func (p *project) called(name string) string {
	if p.files.bundle.Stack.Role(name) != "" {
		return name + "-kept"
	}
	return name
}

// role is the name of the rendered service that does something.
func (p *project) role(role string) string { return p.files.bundle.Stack.Called(role) }

// set puts a value into what is laid over.
func (p *project) set(value *source.Node, at ...string) {
	n := p.over
	for _, key := range at[:len(at)-1] {
		if n.Get(key) == nil {
			n.Set(key, &source.Node{Kind: source.Mapping})
		}
		n = n.Get(key)
	}
	n.Set(at[len(at)-1], value)
}

// composed is what Compose makes of a part of its files, written so that it makes the same of it again.
func (p *project) composed(at ...string) *source.Node {
	return escaped(p.read.File.At(at...).Node())
}

// escaped doubles each dollar, as there is nothing left to be filled in but what has no value here.
func escaped(n *source.Node) *source.Node {
	for _, name := range n.Names() {
		n.Set(name, escaped(n.Get(name)))
	}
	for i, item := range n.Items {
		n.Items[i] = escaped(item)
	}
	if n.Is(source.Scalar) {
		if n.Text = strings.ReplaceAll(n.Text, "$", "$$"); len(n.From.Unset()) > 0 {
			n.Text = n.From.Origin().Str()
		}
	}
	return n
}

// keep takes a service over as it is, on the networks of the rendered stack.
func (p *project) keep(s *deployment.Service) {
	n := p.composed("services", s.Name)
	if !n.Is(source.Mapping) {
		return
	}
	if s.NetworkMode.Exists() {
		if name, ok := strings.CutPrefix(s.NetworkMode.Str(), "service:"); ok {
			n.Set("network_mode", source.Made("!!str", "service:"+or(p.ours[name], p.called(name))))
		}
	} else {
		n.Set("networks", p.networksOf(s, n.Get("networks")))
	}
	if after := n.Get("depends_on"); after != nil {
		n.Set("depends_on", p.after(after))
	}
	p.renamed(n.Get("links"))
	p.renamed(n.Get("volumes_from"))
	if n.Get("build") != nil {
		p.note(s.Build.Site(""), s.Name+" is built here: copy what its image is built from beside the rendered files, or name an image", "compose")
	}
	name := p.called(s.Name)
	if name != s.Name {
		p.note(s.Site(""), s.Name+" is the name of a service that stackgen renders; this one is kept as "+name+", and who calls it has to be told", "compose", "extra", "services", name)
	}
	p.set(n, "services", name)
	p.files.of(s, name, n)
}

// networksOf are the networks of a kept service by their keys in the rendered file.
func (p *project) networksOf(s *deployment.Service, was *source.Node) *source.Node {
	now := &source.Node{Kind: source.Mapping}
	keys := s.Networks
	if len(keys) == 0 {
		keys = []string{"default"}
	}
	for _, key := range keys {
		for _, to := range p.network(key) {
			settings := was.Get(key)
			if !settings.Is(source.Mapping) {
				settings = &source.Node{Kind: source.Mapping}
			}
			now.Set(to, settings)
		}
	}
	if slices.ContainsFunc(now.Names(), func(name string) bool { return len(now.Get(name).Names()) > 0 }) {
		return now
	}
	list := &source.Node{Kind: source.Sequence}
	for _, name := range now.Names() {
		list.Items = append(list.Items, source.Made("!!str", name))
	}
	return list
}

// network is where a network of theirs is in the rendered file.
func (p *project) network(key string) []string {
	n := p.d.Network(key)
	proxy := p.proxied(key)
	shared := slices.ContainsFunc(p.d.Services, func(s *deployment.Service) bool {
		return p.ours[s.Name] != "" && (slices.Contains(s.Networks, key) || len(s.Networks) == 0 && key == "default")
	})
	switch {
	case proxy && !n.External.Set() && !p.several():
		return []string{"ingress", "stack"}
	case proxy:
		return []string{"ingress"}
	case n.External.Set() && p.said(n.Name) != "":
		return []string{p.said(n.Name)}
	case n.External.Set() || !shared:
		p.defined[key] = true
		return []string{key}
	}
	if st := p.files.bundle.Stack; st.Element != nil && st.Ingress.Network == "" { // which is in no other one
		return []string{"stack", "ingress"}
	}
	return []string{"stack"}
}

// said is what the rendered file calls a network of another stack that a rendered service is in; "" for any other.
func (p *project) said(name string) string {
	for _, n := range p.files.bundle.Stack.Networks() {
		if n.Name == name {
			return n.Key
		}
	}
	return ""
}

// proxied reports whether a network is the one that the proxy reaches Synapse by.
func (p *project) proxied(key string) bool {
	name, _ := p.d.NetworkName(key)
	return name != "" && name == p.files.bundle.Stack.Ingress.Network
}

// several reports whether Synapse is in more networks than the proxy's.
func (p *project) several() bool { return len(p.syn.Networks) > 1 }

// after is a depends_on with the names of the rendered services.
func (p *project) after(was *source.Node) *source.Node {
	now := &source.Node{Kind: source.Mapping}
	add := func(name string, how *source.Node) {
		ours := or(p.ours[name], p.called(name))
		if p.replaced[name] {
			ours = "db-init"
		}
		if how == nil {
			how = &source.Node{Kind: source.Mapping}
			how.Set("condition", source.Made("!!str", "service_started"))
		}
		if p.files.bundle.Stack.Role(ours) == "mas" && how.Get("condition").Str() == "service_healthy" { // it has no check
			how.Set("condition", source.Made("!!str", "service_started"))
		}
		now.Set(ours, how)
	}
	for _, item := range was.Items {
		add(item.Text, nil)
	}
	for _, name := range was.Names() {
		add(name, was.Get(name))
	}
	return now
}

// renamed has a list of services, each with more behind a colon, name the rendered ones.
func (p *project) renamed(list *source.Node) {
	if list == nil {
		return
	}
	for _, item := range list.Items {
		name, rest, more := strings.Cut(item.Text, ":")
		if ours := or(p.ours[name], p.called(name)); ours != "" {
			if item.Text = ours; more {
				item.Text += ":" + rest
			}
		}
	}
}
