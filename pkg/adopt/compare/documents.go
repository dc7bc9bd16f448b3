package compare

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// read collects what the deployment says.
func (s *side) read() {
	s.used, s.programs = make(map[string]bool), make(map[string]component.Program)
	for _, svc := range s.Services {
		s.programs[s.whom(svc)] = svc.Program
		s.service(svc)
	}
	s.project()
	for _, syn := range s.Synapses {
		s.synapse(syn)
	}
	for _, m := range s.MASs {
		s.config(m.Service, m.Config)
	}
	for _, b := range s.Bridges {
		s.config(b.Service, b.Config)
		if b.Own != nil {
			s.used[b.Own.Path] = true
			s.walk(document{s.whom(b.Service), "own registration", b.Program, b.Service}, "", b.Own.Root())
		}
	}
	for _, e := range s.Elements {
		for _, f := range e.Configs {
			s.config(e.Service, f)
		}
	}
	for _, l := range s.LiveKits {
		if l.Config != nil && l.Config.Path != "" {
			s.config(l.Service, l.Config)
			s.keys(l)
		}
	}
	for _, t := range s.TurnServers() {
		s.relay(&t)
	}
	for _, a := range s.Admins {
		if a.Config != nil {
			s.config(a.Service, a.Config)
		}
	}
	for _, w := range s.Workers {
		s.config(w.Service, w.Config)
	}
	for _, b := range s.Backups() {
		about := "backup"
		if b.Service != nil {
			about = s.whom(b.Service)
		}
		s.used[b.Config.Path] = true
		s.walk(document{about: about, doc: "config", service: b.Service}, "", b.Config.Root())
	}
	for _, c := range s.Connections() {
		s.connection(c)
	}
	s.only()
	if s.File != "" {
		for _, name := range s.Chosen.Files {
			s.used[name] = true
		}
		s.files()
	}
}

// only has a service that the other side has not told once, and not by each of its settings.
func (s *side) only() {
	for _, svc := range s.alone {
		about := s.whom(svc)
		maps.DeleteFunc(s.facts, func(k id, _ fact) bool {
			return k.about == about || k.doc == "networks" && k.key == "{"+about+"}" || k.key == "depends_on {"+about+"}"
		})
		s.add(about, "service", "", fact{text: svc.Image.String(), shown: svc.Name + " (" + svc.Image.String() + ")", at: svc.Self.Pos()})
	}
}

// config is the main configuration of a program, but for what is compared in a way of its own.
func (s *side) config(svc *deployment.Service, f *source.File) {
	d := document{s.whom(svc), "config", svc.Program, svc}
	s.used[f.Path] = true
	for _, name := range svc.ConfigPaths {
		if host, reason := svc.HostPath(svc.Inside(name)); reason == "" {
			s.used[host] = true
		}
	}
	s.walk(d, "", f.Root())
}

func (s *side) synapse(syn *deployment.Synapse) {
	s.config(syn.Service, syn.Config)
	about := s.whom(syn.Service)
	d := document{about, "config", syn.Program, syn.Service}
	if name, at := syn.SigningKey(); name != "" {
		r := read{fact: fact{at: at.Pos()}}
		s.inFile(d, name, &r, "")
		s.add(about, "config", "signing_key", r.fact)
	} else if at.Set() {
		s.add(about, "config", "signing_key", fact{text: fmt.Sprintf("%q", strings.TrimSpace(at.Str())), secret: true, at: at.Pos()})
	}
	if v := syn.Config.At("log_config"); v.Set() {
		f, reason, _ := s.Follow(syn.Service, syn.Inside(v.Str()))
		if f != nil {
			s.used[f.Path] = true
			s.walk(document{about, "log config", syn.Program, syn.Service}, "", f.Root())
		} else {
			s.unseen = append(s.unseen, about+", log_config: "+reason)
		}
	}
	for _, r := range syn.Registrations {
		s.used[r.Path] = true
		s.walk(document{about, "registration " + r.At("id").Str(), syn.Program, nil}, "", r.Root())
	}
	for _, m := range syn.Missing {
		s.unseen = append(s.unseen, about+", registration "+m.Value.Str()+": "+m.Reason)
	}
}

// onTheHost are the servers of PostgreSQL that are found at the machine's own addresses.
func (s *side) onTheHost() []*deployment.Service {
	return slices.DeleteFunc(s.PostgresServers(), func(svc *deployment.Service) bool { return svc.NetworkMode.Str() != "host" && len(svc.Ports) == 0 })
}

// connectionKeys are the settings that a connection is made of; what else stands there is compared as it is.
var connectionKeys = []string{
	"database.args.host", "database.args.port", "database.args.user", "database.args.password", "database.args.passfile", "database.args.dbname", "database.args.database", "database.args.sslmode",
	"database.uri", "database.host", "database.port", "database.username", "database.password", "database.database", "database.ssl_mode",
	"appservice.database", "appservice.database.uri",
}

// connection replaces the spellings of a connection by what it leads to.
func (s *side) connection(c deployment.Connection) {
	about := s.whom(c.Service)
	whole := ""
	sslmode := c.Sslmode
	for _, key := range connectionKeys {
		k := id{about, "config", key}
		f, had := s.facts[k]
		if !had {
			continue
		}
		if strings.HasSuffix(key, "ssl_mode") || strings.HasSuffix(key, "sslmode") {
			sslmode = strings.Trim(f.text, `"`)
		}
		if strings.HasSuffix(key, "uri") || key == "appservice.database" {
			whole = c.At.Str()
		}
		delete(s.facts, k)
	}
	add := func(key, raw, text string, secret bool, at deployment.Leaf) {
		if text != "" {
			s.add(about, "config", "database "+key, fact{raw: raw, text: text, shown: raw, why: "it is the same service by another name", secret: secret, at: at.Pos()})
		}
	}
	host := s.canonicalHost(c.Host)
	if servers := s.onTheHost(); c.Service.NetworkMode.Str() == "host" && deployment.Loopback(c.Host) && len(servers) == 1 {
		host = "{" + s.whom(servers[0]) + "}"
	}
	add("host", c.Host, host, false, c.HostAt)
	for _, part := range []struct {
		key, text string
		secret    bool
		at        deployment.Leaf
	}{
		{"port", cmp.Or(c.Port, "5432"), false, c.PortAt},
		{"user", c.User, false, c.UserAt},
		{"name", cmp.Or(c.Db, c.User), false, c.At},
		{"password", c.Password, true, c.PasswordAt},
		{"sslmode", sslmode, false, c.At},
	} {
		add(part.key, part.text, part.text, part.secret, part.at)
	}
	if c.PasswordReason != "" {
		s.add(about, "config", "database password", fact{text: "unseen " + c.At.Str(), secret: true, unseen: true, at: c.At.Pos()})
		s.unseen = append(s.unseen, about+", the password of its database: "+c.PasswordReason)
	}
	u, err := url.Parse(whole)
	if whole == "" || err != nil {
		return
	}
	q := u.Query()
	for _, key := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains([]string{"host", "port", "user", "password", "sslmode"}, key) {
			add("option "+key, q.Get(key), q.Get(key), false, c.At)
		}
	}
}
