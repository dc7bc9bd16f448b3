package deployment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Parts are the programs of the deployment and how far each was read, in the order in which one looks for them. Whatever
// was not read is among them: what is said of the rest is all that is said.
func (d *Deployment) Parts() []finding.Part {
	if d.File == "" {
		return nil
	}
	p := parts{d: d, told: make(map[*Service]bool)}
	if len(d.Unread) > 0 {
		var whys []string
		for _, site := range d.Unread {
			whys = append(whys, site.Note)
		}
		p.add(finding.Part{Name: d.Target.String(), Seen: finding.Partly, From: d.Chosen.Files, Why: few(Unique(whys))})
	}
	p.homeserver()
	p.bridges()
	p.clients()
	p.admins()
	p.calls()
	p.front()
	p.databases()
	p.rest()
	mask := d.Mask()
	for i := range p.list {
		p.list[i].Why = mask.Text(p.list[i].Why)
	}
	return p.list
}

// Blank says why nothing of Matrix was read; "" where something was.
func (d *Deployment) Blank() string {
	if len(d.Synapses)+len(d.MASs)+len(d.Bridges) > 0 || d.File == "" {
		return ""
	}
	var whys []string
	for _, s := range d.Services {
		if (s.Program == component.Synapse || s.Program == component.MAS || s.Component().Bridge != nil) && !d.oneShot(s) {
			whys = append(whys, s.Name+" ("+s.Component().Title+"): "+s.unread())
		} else if word := d.OnlyTool(s); word != "" {
			whys = append(whys, s.Name+" ("+s.Component().Title+"): it only runs "+word)
		} else if why := d.misled(s); why != "" {
			whys = append(whys, s.Name+" ("+s.Component().Title+"): "+why)
		}
	}
	if len(whys) > 0 {
		return d.Mask().Text(few(whys))
	}
	var names, idle []string
	for _, s := range d.Services {
		if s.Absent.Why != "" {
			idle = append(idle, s.Name+" ("+s.Absent.Why+")")
			continue
		}
		names = append(names, s.Name)
	}
	list := Unique([]string{few(names)})
	if len(idle) > 0 {
		list = append(list, "not started: "+few(idle))
	}
	return "no service is known as Synapse, MAS or a bridge by its image, command or files: " + strings.Join(list, "; ")
}

type parts struct {
	d    *Deployment
	list []finding.Part
	told map[*Service]bool
}

func (p *parts) add(part finding.Part, of ...*Service) {
	for i, name := range part.From {
		part.From[i] = p.d.held(source.Pos{File: name}).File
	}
	part.From = Unique(part.From)
	p.list = append(p.list, part)
	for _, s := range of {
		p.told[s] = true
	}
}

// unread says why the configuration of a service is not there.
func (s *Service) unread() string {
	if s.Unread != "" {
		return s.Unread
	}
	return "its configuration was not looked for"
}

// configured is a part that is its configuration; config is nil where that was not read.
func (p *parts) configured(name string, s *Service, config *source.File, partly bool) {
	part := finding.Part{Name: name, Seen: finding.Unread, Why: s.Unread}
	if config != nil {
		part.Seen, part.From, part.Why = finding.Whole, s.configHosts(config), ""
		if partly {
			part.Seen, part.Why = finding.Partly, cmp.Or(s.adding, "one of its configuration files cannot be seen")
		}
	}
	p.add(part, s)
}

// configHosts are the files that a configuration was made of.
func (s *Service) configHosts(config *source.File) (files []string) {
	if len(s.ConfigPaths) > 1 {
		for _, name := range s.ConfigPaths {
			if host, reason := s.HostPath(s.Inside(name)); reason == "" {
				files = append(files, host)
			}
		}
		return files
	}
	return []string{config.Path}
}

func (p *parts) homeserver() {
	d := p.d
	for _, program := range []component.Program{component.Synapse, component.MAS} {
		running := d.Running(program)
		for _, s := range running {
			name := s.Component().Title
			if len(running) > 1 {
				name += " " + s.Name
			}
			var config *source.File
			for _, syn := range d.Synapses {
				if syn.Service == s {
					config = syn.Config
				}
			}
			for _, m := range d.MASs {
				if m.Service == s {
					config = m.Config
				}
			}
			p.configured(name, s, config, s.partly)
		}
		for _, s := range d.Services {
			if why := d.misled(s); s.Program == program && why != "" {
				p.add(finding.Part{Name: s.Component().Title, Seen: finding.Unread, Why: s.Name + ": " + why}, s)
			}
		}
	}
	for _, w := range d.Workers {
		if w.Absent.Why != "" {
			continue
		}
		var config *source.File
		if w.Config.Root().Set() {
			config = w.Config
		}
		p.configured("worker "+w.Name, w.Service, config, w.partly)
	}
	if i := slices.IndexFunc(d.Synapses, (*Synapse).Delegates); i >= 0 && len(d.Running(component.MAS)) == 0 {
		p.add(finding.Part{Name: "MAS", Seen: finding.Unread, Why: "Synapse leaves logins to one that is no service here"})
	}
	if misled := func(s *Service) bool { return s.Program == component.Synapse && d.misled(s) != "" }; len(d.Running(component.Synapse)) == 0 && len(p.list) > 0 && !slices.ContainsFunc(d.Services, misled) {
		p.add(finding.Part{Name: "Synapse", Seen: finding.Unread, Why: "no service is known as Synapse"})
	}
}

func (p *parts) bridges() {
	d := p.d
	for _, b := range d.Bridges {
		part := finding.Part{Name: "bridge " + b.Name, From: []string{b.Config.Path}}
		if b.Own != nil {
			part.From = append(part.From, b.Own.Path)
		} else if b.Hidden != "" && d.RegistrationOf(b) == nil {
			part.Seen, part.Why = finding.Partly, "its registration cannot be seen: "+b.Hidden
		}
		p.add(part, b.Service)
	}
	for _, s := range d.Services {
		if (s.Component().Bridge != nil || s.Image.Former() != nil) && !p.told[s] && !d.oneShot(s) {
			p.add(finding.Part{Name: "bridge " + s.Name, Seen: finding.Unread, Why: s.unread()}, s)
		} else if why := d.misled(s); s.Component().Bridge != nil && why != "" {
			p.add(finding.Part{Name: "bridge " + s.Name, Seen: finding.Unread, Why: why}, s)
		}
	}
	for _, s := range d.Synapses {
		for _, reg := range s.Registrations {
			if d.BridgeOf(reg) != nil || slices.Contains(d.DoublePuppets, reg) {
				continue
			}
			p.add(finding.Part{Name: "appservice " + reg.At("id").Str(), Seen: finding.Partly, From: []string{reg.Path}, Why: "its registration alone"}, d.ServiceAt(hostOf(reg.At("url").Str())))
		}
	}
}

func (p *parts) clients() {
	for _, e := range p.d.Elements {
		part := finding.Part{Name: "Element Web " + e.Name, Why: e.Hidden}
		for _, f := range e.Configs {
			part.From = append(part.From, f.Path)
		}
		switch {
		case len(part.From) == 0 && e.Hidden == "":
			part.Seen, part.Why = finding.Unread, cmp.Or(p.d.mounted(e.Service), "its configuration is the one in its image")
		case len(part.From) == 0:
			part.Seen = finding.Unread
		case e.Hidden != "":
			part.Seen = finding.Partly
		}
		p.add(part, e.Service)
	}
}

func (p *parts) admins() {
	for _, a := range p.d.Admins {
		part := finding.Part{Name: "ketesa " + a.Name, Why: a.Hidden}
		switch {
		case a.Config != nil:
			part.From = []string{a.Config.Path}
		case a.Hidden == "":
			part.Seen, part.Why = finding.Unread, cmp.Or(p.d.mounted(a.Service), "it has no configuration, and takes any homeserver")
		default:
			part.Seen = finding.Unread
		}
		p.add(part, a.Service)
	}
}

func (p *parts) calls() {
	for _, l := range p.d.LiveKits {
		part := finding.Part{Name: "LiveKit " + l.Name, From: []string{l.Config.Path}, Why: l.Hidden}
		switch {
		case l.Config.Path == "":
			part.Seen, part.Why = finding.Unread, cmp.Or(l.Hidden, "nothing says where its configuration is")
		case l.Hidden != "":
			part.Seen = finding.Partly
		}
		p.add(part, l.Service)
	}
	for _, t := range p.d.Tokens {
		part := finding.Part{Name: "lk-jwt-service " + t.Name, From: []string{t.Self.Pos().File}}
		if t.Registration != nil {
			part.From = append(part.From, t.Registration.Path)
		}
		if t.EnvUnread != "" {
			part.Seen, part.Why = finding.Partly, t.EnvUnread
		}
		p.add(part, t.Service)
	}
}

func hostOf(url string) string {
	u, _, _ := Endpoint(url)
	if u == nil {
		return ""
	}
	return u.Hostname()
}

// unrouted says that nothing tells how requests come in.
func (d *Deployment) unrouted() string {
	if d.Target == Kubernetes {
		return "no Ingress and no HTTPRoute here: what is routed where cannot be seen"
	}
	return "none here, and no labels for one: what is routed where cannot be seen"
}

func (p *parts) front() {
	d := p.d
	f := d.Front()
	part := finding.Part{Name: "proxy " + strings.TrimPrefix(f.Name, "the ")}
	for _, router := range d.Routes().Routers {
		part.From = append(part.From, router.Site.File)
	}
	switch {
	case len(part.From) == 0 && f.Service == nil:
		if f.Unseen == "" && len(d.Synapses)+len(d.MASs) == 0 {
			return
		}
		part.Name, part.Seen, part.Why = "proxy", finding.Unread, cmp.Or(f.Unseen, d.unrouted())
	case len(part.From) == 0:
		part.Seen, part.Why = finding.Unread, f.Unseen
		if part.Why == "" {
			part.Why = "it has no router that can be seen"
		}
	case f.Unseen != "":
		part.Seen, part.Why = finding.Partly, f.Unseen
	case f.Service == nil:
		part.Seen, part.Why = finding.Partly, f.Name+" itself is of another stack, with what is set there"
		if d.Routed != nil {
			part.Why = "its controller is not among the manifests, nor what is set there"
		}
	}
	p.add(part, f.Service)
}

func (p *parts) databases() {
	d := p.d
	for _, server := range d.PostgresServers() {
		part := finding.Part{Name: "PostgreSQL " + server.Name, From: []string{server.Self.Pos().File}}
		made := d.Provisioned(server)
		for _, db := range made.Databases {
			if part.From = append(part.From, db.Site.File); db.FirstStartOnly {
				part.Why = "scripts of " + initDir + " run only when a cluster is made"
			}
		}
		slices.Sort(part.From)
		if made.Opaque != "" {
			part.Seen, part.Why = finding.Partly, made.Opaque
		}
		p.add(part, server)
	}
	users := make(map[string][]string)
	var hosts []string
	for _, c := range d.Connections() {
		if s, _ := d.DatabaseServer(c); s != nil && s.Program == component.Postgres || c.Host == "" {
			continue
		}
		if users[c.Host] == nil {
			hosts = append(hosts, c.Host)
		}
		users[c.Host] = append(users[c.Host], c.Service.Name)
	}
	for _, host := range hosts {
		p.add(finding.Part{Name: "PostgreSQL at " + host, Seen: finding.Unread, Why: "not of this stack; " + few(Unique(users[host])) + " uses it"}, d.ServiceAt(host))
	}
}

// rest are backup and TURN, and what no rule knows.
func (p *parts) rest() {
	d := p.d
	for _, b := range d.Backups() {
		part := finding.Part{Name: "backup borgmatic", From: []string{b.Config.Path}}
		if b.Partial() {
			part.Seen, part.Why = finding.Partly, "it includes other files"
		}
		p.add(part, b.Service)
	}
	for _, s := range d.Services {
		if s.Borgmatic() && !p.told[s] && s.Absent.Why == "" {
			p.add(finding.Part{Name: "backup " + s.Name, Seen: finding.Unread, Why: "no configuration of borgmatic can be seen"}, s)
		}
	}
	for _, t := range d.TurnServers() {
		part := finding.Part{Name: "TURN " + t.Name, From: []string{t.Site.File}}
		if t.Hidden != "" {
			part.Seen, part.Why = finding.Partly, t.Hidden
		}
		p.add(part, t.Service)
	}
	var off, tools, others []string
	for _, s := range d.Services {
		switch {
		case p.told[s]:
		case s.Absent.Why != "":
			off = append(off, s.Name+" ("+s.Absent.Why+")")
		case s.Once && d.Target == Kubernetes, s.Program == component.Unknown, s.Program == component.Postgres && !s.servesPostgres():
			others = append(others, s.Name)
		case d.OnlyTool(s) != "":
			tools = append(tools, s.Name+" ("+d.OnlyTool(s)+")")
		}
	}
	if len(tools) > 0 {
		p.add(finding.Part{Name: "tools", Seen: finding.Unread, Why: few(tools) + ": nothing here runs the program itself"})
	}
	if len(off) > 0 {
		p.add(finding.Part{Name: "not started", Seen: finding.Unread, Why: few(off)})
	}
	if len(others) > 0 {
		p.add(finding.Part{Name: "others", Seen: finding.Unread, Why: few(others) + ": only what " + d.Target.String() + " is told"})
	}
}

// few joins words, and counts those that nobody would read.
func few(words []string) string { return strings.Join(AtMost(words, 7), ", ") }

// AtMost are the first words, and how many there are besides. One that would be left is no shorter than its number.
func AtMost(words []string, most int) []string {
	if len(words) <= most+1 {
		return words
	}
	return append(slices.Clone(words[:most]), fmt.Sprintf("%d more", len(words)-most))
}

// Unique gives each of the words once, in their order, and no empty one.
func Unique(words []string) (list []string) {
	for _, w := range words {
		if w != "" && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}
