package compose

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose/project"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

func (p *Project) service(name string, v source.Value) *deployment.Service {
	leaf := func(path ...string) deployment.Leaf { return p.leaf(v.At(path...)) }
	list := func(path ...string) deployment.List { return p.list(v.At(path...)) }
	s := &deployment.Service{
		Name: name, Self: p.leaf(v), ImageAt: leaf("image"), Build: leaf("build"),
		Entrypoint: list("entrypoint"), Cmd: list("command"), WorkingDir: leaf("working_dir"),
		EnvAt: leaf("environment"), Volumes: list("volumes"), Tmpfs: list("tmpfs"), Handed: list("secrets"),
		NetworksAt: leaf("networks"), NetworkMode: leaf("network_mode"), PortsAt: leaf("ports"),
		Hostname: leaf("hostname"), ContainerName: leaf("container_name"), LabelsAt: leaf("labels"),
		Probe:   deployment.Probe{At: leaf("healthcheck"), Test: list("healthcheck", "test"), Off: v.At("healthcheck", "disable").True()},
		Restart: leaf("restart"), MoreNames: v.At("extra_hosts").Set() || v.At("external_links").Set(), Profiles: list("profiles").Items, UserAt: leaf("user"), ReadOnly: leaf("read_only"), Privileged: leaf("privileged"),
		MemoryAt: leaf("mem_limit"), CPUsAt: leaf("cpus"), ShmAt: leaf("shm_size"), GraceAt: leaf("stop_grace_period"),
		CapDrop: list("cap_drop"), CapAdd: list("cap_add"), Reads: confighash.Reads(p.File, name),
	}
	s.Once = s.Restart.Str() == "no"
	ref, _ := s.ImageAt.Text()
	s.Image = component.Parse(ref)
	s.Program = s.Image.Program()
	p.environment(s, v)
	p.build(s, v)
	p.mounts(s, v)
	p.attach(s, v.At("networks"))
	p.labels(s, v)
	p.ports(s, v.At("ports"))
	for _, item := range v.At("depends_on").Items() {
		s.DependsOn = append(s.DependsOn, deployment.Wait{Service: item.Str(), At: p.leaf(item)})
	}
	for name, dep := range v.At("depends_on").Entries() {
		s.DependsOn = append(s.DependsOn, deployment.Wait{
			Service: name.Str(), At: p.leaf(dep), Condition: dep.At("condition").Str(), ConditionAt: p.leaf(dep.At("condition")), Optional: deployment.IsFalse(dep.At("required")),
		})
	}
	s.Spans, s.SpansKnown = p.spans(v.At("ports"))
	s.Exposed = p.exposed(v.At("expose"))
	p.absence(s, v)
	for _, link := range deployment.Listed(v.At("links")) {
		to, alias, _ := strings.Cut(link.Str(), ":")
		s.Links = append(s.Links, deployment.Link{Service: to, Alias: alias})
	}
	return s
}

// absence reads profiles, scale and deploy.replicas.
func (p *Project) absence(s *deployment.Service, v source.Value) {
	s.Copies = 1
	var copies deployment.Leaf
	for _, at := range []source.Value{v.At("scale"), v.At("deploy", "replicas")} {
		if !at.Set() {
			continue
		}
		copies = p.leaf(at)
		text, ok := copies.Text()
		if n, err := strconv.Atoi(text); ok && err == nil {
			s.Copies = n
		}
		break
	}
	s.CopiesAt = copies
	on := p.Profiles()
	var names []string
	for _, profile := range s.Profiles {
		name := profile.Str()
		if slices.ContainsFunc(on, func(o string) bool { return o == name || o == "*" }) {
			names = nil
			break
		}
		names = append(names, name)
	}
	switch {
	case len(names) > 0:
		s.Absent = deployment.Absent{Why: "it stands behind the profile " + strings.Join(names, ", "), Profiles: names, At: p.leaf(v.At("profiles"))}
	case s.Copies == 0:
		s.Absent = deployment.Absent{Why: copies.Name() + " is 0", At: copies}
	}
}

// environment reads the variables of a service: those that stand there win over those of its files, of which a later
// one wins over an earlier.
func (p *Project) environment(s *deployment.Service, v source.Value) {
	settings, hidden := p.Environment(v)
	s.EnvUnread = hidden
	for _, e := range settings {
		is := deployment.Variable{Name: e.Name, Text: e.Text, At: p.leaf(e.At), FromFile: e.File != ""}
		name, text, whole := strings.Cut(e.Name, "=")
		if whole && !e.Handed {
			text += "=" + e.Text
		}
		if whole { // Compose hands NAME, or NAME=TEXT, to Docker, which takes all before the first of them for the name
			is.Name, is.Text = name, text
		}
		switch {
		case e.Handed && !whole:
			is.Hidden = e.Name + " comes from outside of the directory"
		case len(e.Unset) > 0:
			is.Hidden = e.Name + " stands behind a variable that is set elsewhere"
		}
		s.Variables = append(s.Variables, is)
	}
}

// forTraefik reports whether there is a label for Traefik among them.
func forTraefik(labels source.Value) bool {
	is := func(text string) bool { return strings.HasPrefix(strings.ToLower(text), "traefik.") }
	for name := range labels.Entries() {
		if is(name.Str()) {
			return true
		}
	}
	return slices.ContainsFunc(labels.Items(), func(l source.Value) bool { return is(l.Str()) })
}

func (p *Project) labels(s *deployment.Service, v source.Value) {
	settings, hidden := p.Labels(v)
	if hidden != "" && len(v.At("label_file").Unset()) > 0 { // what is missing, another rule tells
		p.unread = append(p.unread, v.At("label_file").Site(hidden))
	}
	if swarm := v.At("deploy", "labels"); forTraefik(swarm) {
		s.Deployed = p.labelled(swarm, p.LabelsOf(swarm), "")
	}
	here := p.labelled(v.At("labels"), settings, hidden)
	s.Labels, s.LabelLine, s.LabelEdit = here.List, here.Line, here.Edit
}

// labelled are labels that stand in one place; hidden says why there may be others.
func (p *Project) labelled(v source.Value, settings []project.Setting, hidden string) *deployment.Labels {
	labels := &deployment.Labels{At: p.leaf(v)}
	for _, l := range settings {
		label := traefik.Label{Key: l.Name, Value: l.Text, Gapped: l.Gapped, Site: l.At.Site("")}
		if l.Gapped != "" && bareWord(project.Variable{At: l.At.Origin(), Unset: l.Unset}) {
			label.Gapped = "" // it is none, and Compose eats it
		}
		labels.List = append(labels.List, label)
	}
	labels.Line = func(key, value string) string {
		value = strings.ReplaceAll(value, "$", "$$")
		if v.Kind() == source.Sequence {
			return "- " + source.Quote(key+"="+value)
		}
		return key + ": " + source.Quote(value)
	}
	labels.Edit = func(key, value string) []source.Edit {
		value = strings.ReplaceAll(value, "$", "$$")
		of := slices.DeleteFunc(slices.Clone(settings), func(l project.Setting) bool { return !strings.EqualFold(l.Name, key) })
		switch {
		case len(of) > 1 || len(of) == 1 && of[0].File != "" || hidden != "":
			return nil
		case len(of) == 1 && v.Kind() == source.Sequence:
			return of[0].At.BecomeText(of[0].Name + "=" + value)
		case len(of) == 1:
			return of[0].At.Become(source.Quote(value))
		case v.Kind() == source.Sequence:
			return v.With(source.Quote(key + "=" + value))
		}
		return v.At(key).Become(source.Quote(value))
	}
	return labels
}

// attach reads the networks of a service.
func (p *Project) attach(s *deployment.Service, nets source.Value) {
	switch nets.Kind() {
	case source.Sequence:
		for _, n := range nets.Items() {
			s.Networks = append(s.Networks, n.Str())
		}
	case source.Mapping:
		for key, v := range nets.Entries() {
			s.Networks = append(s.Networks, key.Str())
			a := deployment.Attachment{Network: key.Str(), AliasesAt: p.leaf(v.At("aliases")), Aliases: p.list(v.At("aliases")).Items}
			for _, key := range []string{"ipv4_address", "ipv6_address"} {
				a.Addresses = append(a.Addresses, p.leaf(v.At(key)))
			}
			s.Attachments = append(s.Attachments, a)
		}
	default:
		if !s.NetworkMode.Set() {
			s.Networks = []string{"default"}
		}
	}
}

// networks are those that the file defines, and those that services name all the same.
func (p *Project) networks(services []*deployment.Service) []deployment.Network {
	var all []deployment.Network
	add := func(key string) {
		if slices.ContainsFunc(all, func(n deployment.Network) bool { return n.Key == key }) {
			return
		}
		def := p.File.At("networks", key)
		n := deployment.Network{Key: key, At: p.leaf(def), NameAt: p.leaf(def.At("name")), External: p.leaf(def.At("external")), Internal: p.leaf(def.At("internal")), Driver: def.At("driver").Str(), Ranges: p.leaf(def.At("ipam", "config"))}
		n.Name, n.Known = n.NameAt.Text()
		switch {
		case n.Name != "" || !n.Known:
		case def.At("external").Kind() == source.Mapping: // the form of Compose 1
			n.Name, n.Known = p.expand(def.At("external", "name"))
		case n.External.True():
			n.Name = key
		default:
			n.Name = cmp.Or(p.Name, "<project>") + "_" + key
		}
		for _, c := range def.At("ipam", "config").Items() {
			n.Subnets = append(n.Subnets, c.At("subnet").Str())
		}
		all = append(all, n)
	}
	for key := range p.File.At("networks").Entries() {
		add(key.Str())
	}
	for _, s := range services {
		for _, key := range s.Networks {
			add(key)
		}
	}
	return all
}
