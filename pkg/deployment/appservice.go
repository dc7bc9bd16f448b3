package deployment

import (
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Appservice is a service to which a registration leads that is no bridge known here, with its own files.
type Appservice struct {
	*Service
	Synapse      *Synapse
	Registration *Registration
	About        *component.Appservice // nil where its program is not known
	Config       *source.File          // nil where it has none, or it cannot be seen
	Own          *source.File          // its copy of the registration; nil where none is seen
	Unseen       string                // why its own files cannot be seen; "" where they can
	Missing      []Missing
}

// readAppservices follows the registrations to the services that they lead to.
func (d *Deployment) readAppservices() {
	for _, syn := range d.Synapses {
		for _, reg := range syn.Registrations {
			u, err := url.Parse(reg.At("url").Str())
			if err != nil || d.BridgeOf(reg) != nil {
				continue
			}
			if Loopback(u.Hostname()) {
				reg.Meant = d.meant(syn, reg, u.Port())
				continue
			}
			s := d.ServiceAt(u.Hostname())
			if s == nil || s.Program != component.Unknown || slices.ContainsFunc(d.Bridges, func(b *Bridge) bool { return b.Service == s }) {
				continue // a proxy in front of it is none
			}
			a := &Appservice{Service: s, Synapse: syn, Registration: reg, About: s.Image.Appservice()}
			a.read(d)
			d.Appservices = append(d.Appservices, a)
		}
	}
	for _, a := range d.Appservices {
		if a.About != nil && !slices.ContainsFunc(d.others, func(o *Appservice) bool { return o.Service == a.Service }) {
			d.others = append(d.others, a)
		}
	}
	for _, s := range d.Services {
		about := s.Image.Appservice()
		if about == nil || s.Program != component.Unknown || slices.ContainsFunc(d.others, func(o *Appservice) bool { return o.Service == s }) {
			continue
		}
		a := &Appservice{Service: s, About: about}
		a.read(d)
		d.others = append(d.others, a)
	}
}

// told gives the files that a program without flags is told of, its configuration first, or those that it takes by itself.
func (a *Appservice) told() (config, own string) {
	config, own = a.About.Config, a.About.Registration
	if a.About.ConfigFlags != nil || a.About.RegistrationFlags != nil {
		return config, own
	}
	words := a.Command()
	if i := slices.IndexFunc(words, func(w string) bool { return path.Ext(w) == ".js" }); i >= 0 {
		words = words[i+1:] // all that follows is the program's own
	} else {
		words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return path.Ext(w) != ".yml" && path.Ext(w) != ".yaml" })
	}
	if len(words) > 0 {
		config = words[0]
	}
	if len(words) > 1 {
		own = words[1]
	}
	return config, own
}

// read finds the appservice's own files: where its program has them, or else the registration by its id.
func (a *Appservice) read(d *Deployment) {
	if about := a.About; about != nil {
		config, own := a.told()
		hidden := false
		if config = a.flag(config, about.ConfigFlags...); config != "" {
			a.Config, a.Unseen, hidden = d.Follow(a.Service, a.Inside(config))
			a.lacks(config, "configuration", a.Config == nil && !hidden)
		}
		if own = a.flag(own, about.RegistrationFlags...); own != "" {
			a.Own, _, hidden = d.Follow(a.Service, a.Inside(own))
			a.lacks(own, "registration", a.Own == nil && !hidden)
		}
		for _, key := range about.Files {
			if v := a.setting(key); v.Set() {
				_, reason := a.HostPath(a.Inside(v.Str()))
				a.lacks(v.Str(), v.Name(), strings.HasPrefix(reason, NothingMounted))
			}
		}
	}
	if a.Registration == nil {
		return
	}
	for _, m := range a.Mounts {
		if a.Own == nil && m.Host != "" {
			a.Own = d.copyBelow(m.Host, a.Registration)
		}
	}
	if a.About == nil && a.Own == nil {
		a.Unseen = "how it is configured is not known"
	}
}

// Unregistered are the services that run the program of an appservice and have a registration of which no Synapse knows: a
// Registration is none of theirs.
func (d *Deployment) Unregistered() (list []*Appservice) {
	for _, s := range d.Services {
		about := s.Image.Appservice()
		if about == nil || s.Program != component.Unknown || s.Absent.Why != "" || slices.ContainsFunc(d.Appservices, func(a *Appservice) bool { return a.Service == s }) {
			continue
		}
		a := &Appservice{Service: s, About: about}
		_, own := a.told()
		if own = s.flag(own, about.RegistrationFlags...); own != "" {
			a.Own, _, _ = d.Follow(s, s.Inside(own))
		}
		if a.Own != nil && a.Own.At("as_token").Str() != "" && !slices.ContainsFunc(d.Synapses, func(syn *Synapse) bool {
			return slices.ContainsFunc(syn.Registrations, func(r *Registration) bool {
				return r.At("as_token").Str() == a.Own.At("as_token").Str() || r.At("id").Str() == a.Own.At("id").Str()
			})
		}) {
			list = append(list, a)
		}
	}
	return list
}

// copyBelow is the file at a path, or right below it, that is a registration with the id of another one; nil where there
// is none.
func (d *Deployment) copyBelow(host string, reg *Registration) *source.File {
	names := []string{host}
	if entries, err := fs.ReadDir(d.FS, host); err == nil {
		names = nil
		for _, e := range entries[:min(len(entries), maxWalk)] {
			names = append(names, path.Join(host, e.Name()))
		}
	}
	for _, name := range names {
		if ext := path.Ext(name); name == reg.Path || ext != ".yaml" && ext != ".yml" {
			continue
		}
		src, err := source.ReadFS(d.FS, name)
		if err != nil {
			continue
		}
		if f, problem := source.Parse(name, src); problem == nil && f.At("namespaces").Set() && f.At("id").Str() != "" && f.At("id").Str() == reg.At("id").Str() {
			d.keep(f)
			return f
		}
	}
	return nil
}

// setting is what stands at a dotted key of its configuration.
func (a *Appservice) setting(key string) source.Value {
	if a.Config == nil || key == "" {
		return source.Value{}
	}
	return a.Config.At(strings.Split(key, ".")...)
}

// Port is the one that it listens on, and where that stands; "" where it cannot be told.
func (a *Appservice) Port() (string, source.Value) {
	if a.About == nil {
		return "", source.Value{}
	}
	if port := a.flag("", a.About.PortFlags...); len(a.About.PortFlags) > 0 && port != "" {
		return port, source.Value{}
	}
	if v := a.setting(a.About.Port); v.Set() {
		return v.Str(), v
	}
	reads := a.About.Port == "" || a.Config != nil
	if a.About.DefaultPort > 0 && reads && (len(a.About.PortFlags) == 0 || a.About.KeepsPort || len(a.Command()) == 0) {
		return strconv.Itoa(a.About.DefaultPort), source.Value{}
	}
	return "", source.Value{}
}

// Listens is the address that it listens on, and where that stands; "" where it cannot be told.
func (a *Appservice) Listens() (string, source.Value) {
	if a.About == nil {
		return "", source.Value{}
	}
	if host := a.flag("", a.About.HostFlags...); len(a.About.HostFlags) > 0 && host != "" {
		return host, source.Value{}
	}
	if a.Config == nil {
		return "", source.Value{}
	}
	if v := a.setting(a.About.Host); v.Set() {
		return v.Str(), v
	}
	return a.About.DefaultHost, a.setting(a.About.Host)
}

// Homeserver is the address of Synapse as its configuration or its command has it; key is "" for the latter.
func (a *Appservice) Homeserver() (text, key string, at source.Site) {
	if a.About == nil {
		return "", "", source.Site{}
	}
	if words := wordsOf(a.Cmd); a.About.HomeserverWord && len(words) > 0 {
		return words[len(words)-1].Text, "", words[len(words)-1].Site
	}
	v := a.setting(a.About.Homeserver)
	return v.Str(), v.Name(), v.Site("")
}

// Unaddressed reports whether its command has no address of Synapse, so that it takes its own, and where that would stand.
func (a *Appservice) Unaddressed() (at source.Site, ok bool) {
	words := wordsOf(a.Cmd)
	if a.About == nil || !a.About.HomeserverWord || len(words) == 0 {
		return at, false
	}
	for _, w := range words {
		if strings.Contains(w.Text, "://") || w.Open || strings.HasPrefix(w.Text, "--ge") || strings.HasPrefix(w.Text, "--re") { // makes a file, or forgets all, and ends
			return at, false
		}
	}
	return words[len(words)-1].Site, true
}

// Domain is the server's name as its configuration has it.
func (a *Appservice) Domain() source.Value {
	if a.About == nil {
		return source.Value{}
	}
	return a.setting(a.About.Domain)
}

// Tokens are its own as_token and hs_token; absent where they cannot be seen.
func (a *Appservice) Tokens() map[string]source.Value {
	tokens := make(map[string]source.Value)
	if a.Own != nil {
		tokens["as_token"], tokens["hs_token"] = a.Own.At("as_token"), a.Own.At("hs_token")
	} else if a.About != nil && a.About.ASToken != "" {
		tokens["as_token"], tokens["hs_token"] = a.setting(a.About.ASToken), a.setting(a.About.HSToken)
	}
	return tokens
}

// meant is the service that a registration which leads into Synapse's own container may be of: it has a copy of it, or
// that port. It is nil where none is here.
func (d *Deployment) meant(syn *Synapse, reg *Registration, port string) *Service {
	for _, s := range d.Services {
		if s == syn.Service || s.Program != component.Unknown {
			continue
		}
		a := &Appservice{Service: s, Synapse: syn, Registration: reg, About: s.Image.Appservice()}
		a.read(d)
		copied := a.Own != nil && a.Own.At("id").Str() == reg.At("id").Str()
		listens, _ := a.Port()
		onHost := slices.ContainsFunc(s.Ports, func(p Port) bool { return strconv.Itoa(p.First) == port })
		if copied || listens == port && port != "" || onHost {
			return s
		}
	}
	return nil
}

// Inhabits reports whether another service of the deployment lives in the network of this one, so that its own loopback
// is the other's, too.
func (d *Deployment) Inhabits(s *Service) bool {
	return slices.ContainsFunc(d.Services, func(o *Service) bool {
		mode := o.NetworkMode.Str()
		return mode == "service:"+s.Name || strings.HasPrefix(mode, "container:")
	})
}
