package deployment

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// recognise finds the configuration of a service by the program in its image.
func (d *Deployment) recognise(s *Service) {
	if s.worker() && s.Absent.Why == "" {
		w := &Worker{Service: s, Config: d.config(s)}
		if w.Config == nil {
			w.Config = &source.File{}
		} else if s.handsOver() {
			s.partly, s.adding = true, "what starts it in an image of somebody's own may read other files besides"
			d.problem(finding.Unchecked("compose-mount-exists", "what the image of "+s.Name+" does with its arguments is not known: it may read other files besides "+s.ConfigPath, s.configSites()...))
		}
		d.Workers = append(d.Workers, w)
		return
	}
	if d.oneShot(s) {
		return
	}
	s.ConfigPath = s.ConfigFile()
	switch s.Program {
	case component.Synapse:
		f := d.config(s)
		if f != nil && !slices.Contains(notWorkers, f.At("worker_app").Str()) {
			d.Workers = append(d.Workers, &Worker{Service: s, Config: f})
		} else if f != nil {
			syn := &Synapse{Service: s, Config: f}
			d.readRegistrations(syn)
			d.Synapses = append(d.Synapses, syn)
		}
	case component.MAS:
		if f := d.config(s); f != nil {
			d.MASs = append(d.MASs, &MAS{Service: s, Config: d.fromEnvironment(s, f)})
		}
	case component.Element:
		d.readElement(s)
	case component.LiveKit:
		d.readLiveKit(s)
	case component.LkJwt:
		d.readTokens(s)
	case component.Ketesa:
		d.readAdmin(s)
	default:
		if about := s.Component().Bridge; about != nil {
			if f := d.config(s); f != nil {
				d.addBridge(&Bridge{Service: s, Config: f, About: about})
			}
		}
	}
}

// handsOver reports whether a worker is started by a script of an image of somebody's own, which is given a module of Synapse and options.
func (s *Service) handsOver() bool {
	words := wordsOf(s.Cmd)
	return !s.Entrypoint.Set() && len(words) > 0 && strings.HasPrefix(words[0].Text, "synapse.app.") && !s.OwnImage() && !s.Mirrored()
}

func (d *Deployment) addBridge(b *Bridge) {
	b.Dialect, b.Shape = dialectOf(b)
	b.Config = b.fromVariables()
	if _, placed := b.Image.Dialect(); !placed && b.Dialect != component.BridgeV2 && !b.About.Speaks(b.Dialect) && (b.Dialect != component.OlderPython || b.Program != component.Unknown) {
		d.problem(finding.Unchecked("bridge-dialect",
			b.Name+" has a configuration like that of "+b.Keys().Words+", and what its own release makes of it is not known", b.Shape.Site(""), b.ImageAt.Site("the image")))
		return
	}
	own, reason, hidden := d.Follow(b.Service, b.flag(path.Join(path.Dir(b.ConfigPath), "registration.yaml"), "-r", "--registration"))
	if b.Own = own; hidden {
		b.Hidden = reason
	}
	d.Bridges = append(d.Bridges, b)
}

// recogniseShapes finds bridges in images of another name, such as a build of somebody's own, by the configuration
// that all mautrix bridges have. What has none is nothing that is known, nor is a helper that sees the
// configuration of a bridge.
func (d *Deployment) recogniseShapes() {
	read := make(map[string]bool)
	for _, b := range d.Bridges {
		read[b.Config.Path] = true
	}
	readers := make(map[string][]*Service)
	var files []string
	for _, s := range d.Services {
		if s.Program != component.Unknown || s.Borgmatic() || s.Once || d.Awaited(s) || d.oneShot(s) {
			continue
		}
		host, reason := s.HostPath(s.shapePath())
		if s.Image.Former() != nil {
			s.Unread = s.shapePath() + ": " + cmp.Or(reason, host+" cannot be read as the configuration of a bridge")
		}
		if reason != "" || read[host] || !d.hasBridge(host) {
			continue
		}
		if readers[host] == nil {
			files = append(files, host)
		}
		readers[host] = append(readers[host], s)
	}
	for _, host := range files {
		s := readers[host][0]
		s.ConfigPath = s.shapePath()
		f, _, _ := d.Follow(s, s.ConfigPath)
		if f == nil {
			continue
		}
		if others := readers[host][1:]; len(others) > 0 {
			d.problems = append(d.problems, finding.Unchecked("bridge-dialect",
				s.Name+" and "+others[0].Name+" both have the configuration of a bridge, and which one runs it is not known", s.Site(""), others[0].Site(""), source.Site{Pos: source.Pos{File: host}}))
			continue
		}
		s.Unread = ""
		d.addBridge(&Bridge{Service: s, Config: f, About: aboutOf(s, f)})
	}
}

// aboutOf is what is known of a bridge in an image of another name: of a former one by the image, of any by its id.
func aboutOf(s *Service, f *source.File) *component.Bridge {
	if former := s.Image.Former(); former != nil {
		return former.Bridge
	}
	id := f.At("appservice", "id").Str()
	dialect, _ := dialectOf(&Bridge{Service: s, Config: f, About: &component.Bridge{}})
	if dialect == component.OlderPython {
		for _, former := range component.Formers {
			if former.Bridge.ID == id {
				return former.Bridge
			}
		}
	}
	for c := range component.Bridges() {
		if c.Bridge.ID == id && (dialect != component.OlderPython || c.Bridge.Speaks(dialect)) {
			return c.Bridge
		}
	}
	return &component.Bridge{}
}

// shapePath is where a bridge in an image of another name has its configuration.
func (s *Service) shapePath() string { return s.flag("/data/config.yaml", "-c", "--config") }

// hasBridge reports whether the file is the configuration of a mautrix bridge. It is no finding that it is not.
func (d *Deployment) hasBridge(host string) bool {
	src, err := source.ReadFS(d.FS, host)
	if err != nil {
		return false
	}
	f, problem := source.Parse(host, src)
	return problem == nil && isBridge(f)
}

// isBridge tells the configuration of a mautrix bridge by what it cannot do without.
func isBridge(f *source.File) bool {
	for _, key := range [][]string{{"homeserver", "address"}, {"homeserver", "domain"}, {"appservice", "id"}, {"appservice", "as_token"}, {"appservice", "hs_token"}} {
		if v := f.At(key...); v.Kind() != source.Scalar || v.Str() == "" {
			return false
		}
	}
	return f.At("bridge", "permissions").Kind() == source.Mapping
}

// oneShot reports whether a service is not the program of its image: no container of it is started, it runs a tool such
// as a migration, a worker, or something else.
func (d *Deployment) oneShot(s *Service) bool {
	if s.Absent.Why != "" || s.Once && d.Target == Kubernetes { // a Job, or a container that ends before the pod's own begin
		return true
	}
	if s.worker() || s.Program == component.Postgres && !s.servesPostgres() {
		return true
	}
	kind, _, _ := s.Launch()
	return kind == Tool || kind == Other || kind == Refused
}

// elsewhere says why a variable that cannot be seen may name another file for the configuration; "" when none can.
func (s *Service) elsewhere() string {
	c := s.Component().Config
	if c.Env == "" || len(c.Flags) > 0 && s.flag("", c.Flags...) != "" {
		return ""
	}
	return s.EnvHidden(c.Env)
}

// config reads the configuration of a service; nil and a finding when it cannot be had. What is not there
// is an error, what lies outside of the directory was not looked at.
func (d *Deployment) config(s *Service) *source.File {
	paths := s.configPaths()
	s.ConfigPaths = paths
	if len(paths) > 1 || s.assembled(paths) != nil {
		f, partly, missing := d.layered(s, paths)
		s.ConfigPath, s.Layered, s.partly = s.Inside(paths[len(paths)-1]), true, partly
		switch {
		case f != nil && partly:
			d.problem(finding.Unchecked("compose-mount-exists", "one of the configuration files of "+s.Name+" cannot be seen; the others were read without it", s.configSites()...))
			return f
		case f != nil:
			return f
		case missing != "":
			s.ConfigPath = s.Inside(missing)
		}
	} else if len(paths) == 1 {
		s.ConfigPath = s.Inside(paths[0])
	}
	f, reason, hidden := d.Follow(s, s.ConfigPath)
	found := finding.Finding{Rule: "compose-mount-exists", Severity: finding.Error}
	kind, word, _ := s.Launch()
	what := "the configuration of " + s.Name + ", " + s.ConfigPath + " in its container, "
	s.Unread = s.ConfigPath + ": " + reason
	switch {
	case f == nil && hidden:
		d.unseen = append(d.unseen, unseen{s, reason, finding.Unchecked(found.Rule, what+"cannot be seen: "+reason, s.configSites()...)})
		return nil
	case f == nil && s.elsewhere() != "":
		s.Unread = s.ConfigPath + " may be another file: " + s.elsewhere()
		found = finding.Unchecked(found.Rule, "which file is the configuration of "+s.Name+" cannot be seen: "+s.elsewhere(), s.configSites()...)
	case f == nil && kind == Script:
		s.Unread = s.ConfigPath + " may be made by " + word + ", which was not read"
		found = finding.Unchecked(found.Rule, what+"may be made by "+word+", which was not read", s.configSites()...)
	case f == nil && s.Program == component.Synapse && !s.OwnImage():
		image, is := s.Image.Repository, "is none that Synapse's makers release"
		if s.BuildUnread != "" {
			is = "is built here, of what cannot be seen"
		}
		s.Unread += "; " + image + " may bring or make one of its own"
		found = finding.Unchecked(found.Rule, what+"cannot be read: "+reason+"; its image, "+image+", "+is+", and may bring or make one of its own", s.configSites()...)
	case f == nil:
		host, _ := s.HostPath(s.ConfigPath)
		if d.Faulty(host) {
			return nil
		}
		if o := d.Maker(s, host); o != nil {
			s.Unread = s.ConfigPath + " is made by " + o.Name + ", which was not run here"
			found = finding.Unchecked(found.Rule, what+"may be made by "+o.Name+", which was not run here", append(s.configSites(), o.Site("has the directory mounted"))...)
			break
		}
		found.Message = what + "cannot be read: " + reason + "; the service does not start"
		found.Fix, found.Sites = "mount the file there", s.configSites()
		if m := s.MountAt(s.ConfigPath); s.Program == component.Synapse && m != nil && m.Host != "" && m.Host != host && !m.ReadOnly {
			found.Fix = "docker compose run --rm " + s.generateWith() + s.Name + " generate, once, or mount the file there"
		}
		if host, _ := s.HostPath(s.ConfigPath); host != "" {
			d.lack(s, host, found)
			return nil
		}
	case f.Root().Kind() != source.Mapping:
		s.Unread = f.Path + " holds no settings"
		found.Message = what + "holds no settings; the service does not start"
		found.Fix = "write the configuration"
		found.Sites = []source.Site{{Pos: source.Pos{File: f.Path}}, s.Site("")}
	default:
		s.Unread = ""
		return f
	}
	d.problem(found)
	return nil
}
