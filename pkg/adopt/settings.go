package adopt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
)

// passed are settings of a service that no file of the stack depends on, and that mean the same for the rendered one.
var passed = []string{
	"extra_hosts", "dns", "dns_search", "dns_opt", "ulimits", "sysctls", "init", "cpu_shares", "cpuset", "mem_reservation", "oom_score_adj", "pids_limit",
	"devices", "storage_opt", "stop_grace_period", "shm_size", "platform", "pull_policy",
}

// settings takes over what somebody set of a service that is rendered now.
func (p *project) settings(s *deployment.Service, role, name string) {
	n := p.composed("services", s.Name)
	at := []string{"services", name}
	for _, key := range passed {
		if value := n.Get(key); value != nil {
			p.set(value, append(at, key)...)
		}
	}
	for _, label := range s.Labels {
		if !slices.ContainsFunc([]string{"traefik.", "caddy", "stackgen.", "com.docker.compose."}, func(lead string) bool { return strings.HasPrefix(label.Key, lead) }) {
			p.set(source.Made("!!str", strings.ReplaceAll(label.Value, "$", "$$")), append(at, "labels", label.Key)...)
		}
	}
	for _, v := range s.Variables {
		built := s.Build.Exists() && v.At.Pos().File != s.Self.Pos().File // of an image that is not built for the rendered service
		if !v.FromFile && v.Hidden == "" && v.Text != "" && !own(s, v.Name) && !built {
			p.set(source.Made("!!str", strings.ReplaceAll(v.Text, "$", "$$")), append(at, "environment", v.Name)...)
		}
	}
	door := name // by which others come in
	if role == "synapse" && len(p.spec.Synapse.Workers) > 0 {
		door = p.role(string(component.HAProxy))
	}
	p.ports(s, role, door)
	p.joined(s, role, name)
}

// ports are those that are published, of what the rendered program listens on.
func (p *project) ports(s *deployment.Service, role, name string) {
	program, _ := component.OfService(role)
	list, rendered := &source.Node{Kind: source.Sequence}, false
	for _, port := range s.Ports {
		inner := program.Port
		if port.First != port.Last || inner == 0 || !slices.Contains([]string{"synapse", "mas", "postgres", "element", "livekit", "lk-jwt"}, role) || role == "synapse" && !p.answersAt(port.Inner) || role == "livekit" && port.Inner != inner || role == "element" && port.Inner == 443 {
			continue
		}
		text := fmt.Sprintf("%d:%d", port.First, inner)
		if port.IP != "" {
			text = port.IP + ":" + text
		}
		item := source.Made("!!str", text)
		if port.IP == "127.0.0.1" && port.First == p.files.bundle.Stack.Ingress.Ports[render.Endpoint{Service: role, Port: inner}] {
			rendered = true
			continue
		}
		if !slices.ContainsFunc(list.Items, item.Equal) {
			list.Items = append(list.Items, item)
		}
	}
	key := "ports"
	if rendered || role == "livekit" { // whose other ports are rendered
		key = "+ports"
	}
	if len(list.Items) > 0 {
		p.set(list, "services", name, key)
	}
}

// answersAt reports whether clients or other servers are answered at a port of Synapse, and not an administrator or Prometheus.
func (p *project) answersAt(port int) bool {
	all := p.syn.Listeners()
	return len(all) == 0 || slices.ContainsFunc(all, func(l deployment.Listener) bool {
		return l.Port == strconv.Itoa(port) && (len(l.Resources) == 0 || slices.Contains(l.Resources, "client") || slices.Contains(l.Resources, "federation"))
	})
}

// elsewhere publishes what a proxy is to find at other ports, where the rendered ones are somebody's already.
func (p *project) elsewhere() {
	for to, at := range p.files.bundle.Stack.Ingress.Ports {
		name := p.role(to.Service)
		if name == "" || to.Service == "synapse" && p.spec.Ingress.Port != 0 {
			continue
		}
		for _, s := range p.kept {
			for _, port := range s.Ports {
				if port.First <= at && at <= port.Last {
					text := fmt.Sprintf("127.0.0.1:%d:%d", at+10000, to.Port)
					p.set(&source.Node{Kind: source.Sequence, Items: []*source.Node{source.Made("!!str", text)}}, "services", name, "ports")
				}
			}
		}
	}
}

// joined lets the kept services find a rendered one by the names that it had.
func (p *project) joined(s *deployment.Service, role, name string) {
	for _, key := range s.Networks { // one whose name stands behind a variable is none that a field could say
		if _, known := p.d.NetworkName(key); p.d.Network(key).External.Set() && !known && !apart(role) {
			p.defined[key] = true
			p.set(&source.Node{Kind: source.Mapping}, "services", name, "networks", key)
		}
	}
	if len(p.kept)+len(p.reader.said) == 0 || apart(role) || p.syn.NetworkMode.Set() {
		return
	}
	list := &source.Node{Kind: source.Sequence}
	for _, alias := range s.Names() {
		called := p.files.bundle.Stack.Services[role].Container // by which Docker knows it, too
		if alias != name && alias != called && !strings.ContainsAny(alias, ".:/ $") && p.files.bundle.Stack.Role(alias) == "" && (p.d.Service(alias) == nil || p.ours[alias] == name) {
			list.Items = append(list.Items, source.Made("!!str", alias))
		}
	}
	if len(list.Items) > 0 {
		p.set(list, "services", name, "networks", "stack", "+aliases")
	}
}

// apart reports whether a rendered service is to be in no other network: Element Web, and those of which a second one breaks
// calls, or opens what stands in it.
func apart(name string) bool { return slices.Contains([]string{"element", "livekit", "coturn"}, name) }

// own reports whether a variable is the program's own, which the rendered service is told otherwise.
func own(s *deployment.Service, name string) bool {
	leads := map[component.Program][]string{
		component.Synapse: {"SYNAPSE_", "UID", "GID", "TMPDIR"}, component.MAS: {"MAS_"}, component.Postgres: {"POSTGRES_", "PG"}, component.Element: {"ELEMENT_WEB_PORT"},
		component.LiveKit: {"LIVEKIT_"}, component.LkJwt: {"LIVEKIT_"}, component.Coturn: {"DETECT_", "REAL_EXTERNAL_IP"},
	}[s.Program]
	if s.Component().Bridge != nil || s.Program == component.Unknown {
		leads = []string{"MAUTRIX_", "UID", "GID", "PGSSLMODE"}
	}
	return slices.ContainsFunc(leads, func(lead string) bool { return strings.HasPrefix(name, lead) })
}

// definitions are those of networks, volumes, secrets and configs that the kept services use.
func (p *project) definitions(tree *source.Node) {
	services := p.over.Get("services")
	used := map[string]map[string]bool{"networks": p.defined, "volumes": p.volumes, "secrets": {}, "configs": {}}
	for _, s := range p.kept {
		n := services.Get(p.called(s.Name))
		for _, kind := range []string{"secrets", "configs", "volumes"} {
			list := n.Get(kind)
			if list == nil {
				continue
			}
			for _, item := range list.Items {
				name := or(item.Get("source").Str(), item.Str())
				if kind == "volumes" {
					name, _, _ = strings.Cut(name, ":")
				}
				used[kind][name] = true
			}
		}
	}
	for _, kind := range []string{"networks", "volumes", "secrets", "configs"} {
		for key := range p.read.File.At(kind).Entries() {
			if !used[kind][key.Str()] {
				continue
			}
			def := p.composed(kind, key.Str())
			if !def.Is(source.Mapping) {
				def = &source.Node{Kind: source.Mapping}
			}
			p.set(def, kind, key.Str())
			if file := def.Get("file").Str(); file != "" {
				p.files.add(file)
			}
		}
	}
	p.ownNetwork(tree)
}

// ownNetwork makes the network of a proxy that is kept in the same stack: nobody else does.
func (p *project) ownNetwork(tree *source.Node) {
	for _, key := range p.syn.Networks {
		if p.proxied(key) && !p.d.Network(key).External.Set() {
			p.set(source.Made("!!null", "null"), "networks", "ingress", "-external")
			p.put(tree, []string{"ingress", p.files.bundle.Stack.Ingress.Kind, "network"}, source.Made("!!str", or(p.spec.Name, "matrix")+"-ingress"))
		}
	}
}
