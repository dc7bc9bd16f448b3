package manifests

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// inward are the programs that ask nobody outside of the stack: they are let out to nobody else. All others federate, bridge, or fetch
// keys and pages of hosts that nobody can list.
var inward = []component.Program{component.Postgres, component.Valkey, component.HAProxy, component.Element, component.Ketesa}

// policies writes the NetworkPolicies: nobody reaches a pod of the stack but who has to, by the graph of who talks to whom.
func (m *maker) policies() {
	deny := object("networking.k8s.io/v1", "NetworkPolicy", m.name("deny"), m.Namespace, mapping("labels", mapping("app.kubernetes.io/part-of", text(m.partOf()))))
	deny.Set("spec", mapping("podSelector", mapping("matchLabels", mapping("app.kubernetes.io/part-of", text(m.partOf()))), "policyTypes", words([]string{"Ingress"})))
	m.put("policies", deny)
	hops := m.hops()
	for _, s := range m.d.Services {
		if m.kept(s) || s.Absent.Why != "" && !byHand(s) || s.NetworkMode.Str() == "host" || m.operated(s) && !slices.Contains(m.d.PostgresServers(), s) {
			continue
		}
		in, out := m.entrances(s, hops), m.exits(s, hops)
		if len(in.Items) == 0 && out == nil {
			continue
		}
		types := []string{}
		spec := mapping("podSelector", mapping("matchLabels", m.labels(s.Name)), "policyTypes", list())
		if len(in.Items) > 0 {
			types = append(types, "Ingress")
			spec.Set("ingress", in)
		}
		if out != nil {
			types = append(types, "Egress")
			spec.Set("egress", out)
		}
		spec.Set("policyTypes", words(types))
		p := object("networking.k8s.io/v1", "NetworkPolicy", label(s.Name), m.Namespace, mapping("labels", m.labels(s.Name)))
		p.Set("spec", spec)
		m.put(label(s.Name), p)
	}
}

// partOf is the stack that a pod belongs to.
func (m *maker) partOf() string { return cmp.Or(m.d.Project, "matrix") }

// name is that of an object which belongs to no service.
func (m *maker) name(what string) string { return label(m.partOf()) + "-" + what }

// hop is one service's way to a port of another.
type hop struct {
	from, to *deployment.Service
	port     string
}

// hops are who talks to whom: by what is known of the programs, by addresses in what they are told, and of a program that nobody knows by
// every name of the stack that stands there.
func (m *maker) hops() (all []hop) {
	add := func(from, to *deployment.Service, port string) {
		h := hop{from, to, port}
		if m.operated(from) {
			return
		}
		if from != to && port != "" && to.Absent.Why == "" && (from.Absent.Why == "" || byHand(from)) && !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	for _, t := range m.d.Hops() {
		add(t.From, t.To, m.d.Inner(t.Host, t.Port))
	}
	for _, server := range m.d.PostgresServers() {
		for _, j := range m.d.Jobs() {
			add(j.Service, server, server.PostgresPort())
		}
		for _, s := range m.d.Services {
			if byHand(s) { // such as syn2mas, which has both databases to do with
				add(s, server, server.PostgresPort())
			}
		}
	}
	for _, s := range m.d.Services {
		for _, told := range m.told(s) {
			for _, to := range m.d.Services {
				for _, name := range to.Names() {
					for _, port := range addressed(told, name) {
						add(s, to, port)
					}
					if s.Program == component.Unknown && spells(told, name) {
						for _, port := range m.ports(to) {
							add(s, to, port)
						}
					}
				}
			}
		}
	}
	return all
}

// byHand reports whether a service only runs when somebody starts it.
func byHand(s *deployment.Service) bool { return s.Absent.Why != "" && len(s.Profiles) > 0 }

// told are the texts that a service is given: its variables, and the files that it mounts.
func (m *maker) told(s *deployment.Service) (texts []string) {
	for _, v := range s.Variables {
		texts = append(texts, v.Text)
	}
	for _, mount := range s.Mounts {
		if mount.Host == "" {
			continue
		}
		info, err := fs.Stat(m.d.FS, mount.Host)
		if err != nil {
			continue
		}
		names := []string{mount.Host}
		if info.IsDir() {
			names = nil
			for _, name := range m.below(mount.Host) {
				names = append(names, path.Join(mount.Host, name))
			}
		}
		for _, name := range names {
			if src, err := source.ReadFS(m.d.FS, name); err == nil {
				texts = append(texts, string(src))
			}
		}
	}
	return texts
}

// addressed are the ports with which a host stands in URLs of a text: scheme://[user@]host[:port].
func addressed(text, host string) (ports []string) {
	for rest := text; ; {
		i := strings.Index(rest, host)
		if i < 0 {
			return ports
		}
		before, after := rest[:i], rest[i+len(host):]
		rest = after
		start := strings.LastIndex(before, "://")
		if start < 0 {
			continue
		}
		if user := before[start+3:]; user != "" && (!strings.HasSuffix(user, "@") || strings.ContainsAny(user, " /\n\"'")) {
			continue
		}
		scheme := before[:start]
		scheme = scheme[strings.LastIndexFunc(scheme, func(r rune) bool { return (r < 'a' || r > 'z') && r != '+' })+1:]
		port, behind := "", after
		if number, ok := strings.CutPrefix(after, ":"); ok {
			n := 0
			for n < len(number) && number[n] >= '0' && number[n] <= '9' {
				n++
			}
			port, behind = number[:n], number[n:]
		}
		if behind != "" && (behind[0] == '.' || behind[0] == '-' || wordly(behind[0])) {
			continue // another name, which begins alike
		}
		ports = append(ports, cmp.Or(port, map[string]string{"http": "80", "https": "443", "redis": "6379"}[scheme], "5432"))
	}
}

func wordly(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// spells reports whether a name stands in a text as a word.
func spells(text, name string) bool {
	for rest := text; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		after := rest[i+len(name):]
		within := i > 0 && (wordly(rest[i-1]) || rest[i-1] == '-')
		if goesOn := after != "" && (wordly(after[0]) || after[0] == '-'); !within && !goesOn {
			return true
		}
		rest = after
	}
}

// entrances are the rules of who reaches a service: each port, and those who ask it.
func (m *maker) entrances(s *deployment.Service, hops []hop) *node {
	rules := list()
	var ports []string
	by, chart := make(map[string][]string), make(map[string][]*node)
	for _, h := range hops {
		if h.to == s {
			if by[h.port] == nil && chart[h.port] == nil {
				ports = append(ports, h.port)
			}
			if m.kept(h.from) {
				k, _ := component.OfESS(h.from.Program)
				chart[h.port] = append(chart[h.port], mapping("podSelector", mapping("matchLabels", mapping(k.Label[0], text(k.Label[1])))))
			} else if name := label(h.from.Name); !slices.Contains(by[h.port], name) {
				by[h.port] = append(by[h.port], name)
			}
		}
	}
	slices.SortFunc(ports, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	for _, port := range ports {
		from := list(chart[port]...)
		if names := by[port]; len(names) > 0 {
			slices.Sort(names)
			who := mapping("matchLabels", mapping("app.kubernetes.io/part-of", text(m.partOf())))
			who.Set("matchExpressions", list(mapping("key", text(nameLabel), "operator", text("In"), "values", words(names))))
			from.Items = append(from.Items, mapping("podSelector", who))
		}
		rules.Items = append(rules.Items, mapping("from", from, "ports", list(mapping("port", number(port)))))
	}
	if port := m.outer(s); len(port) > 0 {
		rule := mapping()
		if m.Proxy != "" {
			rule.Set("from", list(mapping("namespaceSelector", mapping("matchLabels", mapping("kubernetes.io/metadata.name", text(m.Proxy))))))
		}
		open := list()
		for _, p := range port {
			open.Items = append(open.Items, mapping("port", number(p)))
		}
		rule.Set("ports", open)
		rules.Items = append(rules.Items, rule)
	}
	public := list()
	for _, p := range s.Ports {
		if p.IP == "127.0.0.1" || p.IP == "::1" {
			continue
		}
		port := mapping("protocol", text(strings.ToUpper(p.Protocol)), "port", number(strconv.Itoa(p.Inner)))
		if p.Last > p.First {
			port.Set("endPort", number(strconv.Itoa(p.Inner+p.Last-p.First)))
		}
		public.Items = append(public.Items, port)
	}
	if len(public.Items) > 0 {
		rules.Items = append(rules.Items, mapping("ports", public))
	}
	return rules
}

// outer are the ports of a service to which the proxy of the cluster leads.
func (m *maker) outer(s *deployment.Service) (ports []string) {
	if m.Gateway == nil && m.Ingress == nil {
		return nil
	}
	for _, r := range m.d.Routes().Routers {
		if r.Dropped != "" || r.To == nil {
			continue
		}
		for _, b := range r.To.Backends {
			if b.Container == s.Name && b.Port != "" && !slices.Contains(ports, b.Port) {
				ports = append(ports, b.Port)
			}
		}
	}
	slices.Sort(ports)
	return ports
}

// exits are the rules of whom a service reaches that has nobody to ask outside; nil where it may go anywhere.
func (m *maker) exits(s *deployment.Service, hops []hop) *node {
	if !slices.Contains(inward, s.Program) || m.operated(s) {
		return nil
	}
	rules := list()
	for _, h := range hops {
		if h.from == s {
			rules.Items = append(rules.Items, mapping("to", list(mapping("podSelector", mapping("matchLabels", m.labels(h.to.Name)))), "ports", list(mapping("port", number(h.port)))))
		}
	}
	if len(rules.Items) > 0 { // and the question where that is
		rules.Items = append(rules.Items, mapping("ports", list(mapping("protocol", text("UDP"), "port", number("53")), mapping("protocol", text("TCP"), "port", number("53")))))
	}
	return rules
}
