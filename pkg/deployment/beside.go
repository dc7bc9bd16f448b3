package deployment

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Missing is a file that a program is told to read and that nothing puts into its container.
type Missing struct {
	What, Path string // Path is the one in the container
	Sites      []source.Site
}

// Beside are the programs beside the stack's own that are known by their images, whether a registration leads to them or not.
func (d *Deployment) Beside() []*Appservice { return d.others }

// lacks takes down a file that is certainly not there. Only what is named, or what the program does not start without, counts.
func (a *Appservice) lacks(file, what string, missing bool) {
	named := slices.IndexFunc(wordsOf(a.Cmd), func(w Word) bool { return strings.Contains(w.Text, file) })
	asks := named >= 0 || a.About.Wants && !a.Entrypoint.Set()
	if !missing || !asks || a.Build.Set() || len(a.Baked) > 0 {
		return
	}
	if _, reason := a.HostPath(a.Inside(file)); !strings.HasPrefix(reason, NothingMounted) {
		return // compose-mount-exists, or who made the directory, knows
	}
	sites := a.VolumeSites()
	if named >= 0 {
		sites = append([]source.Site{wordsOf(a.Cmd)[named].Site}, sites...)
	}
	for _, key := range a.About.Files {
		if v := a.setting(key); v.Set() && v.Str() == file {
			sites = append([]source.Site{v.Site("")}, sites...)
		}
	}
	a.Missing = append(a.Missing, Missing{What: what, Path: a.Inside(file), Sites: sites})
}

// besideListeners are those of a program of which all are known.
func (d *Deployment) besideListeners(s *Service) (ls []Listener) {
	i := slices.IndexFunc(d.others, func(a *Appservice) bool { return a.Service == s })
	if i < 0 || d.others[i].Config == nil || d.others[i].About.Listeners == "" && !d.others[i].About.OnePort {
		return nil
	}
	a := d.others[i]
	port, at := a.Port()
	host, hostAt := a.Listens()
	if port == "" {
		return nil
	}
	if !at.Set() {
		at = a.Config.Root()
	}
	ls = append(ls, Listener{Port: port, Loopback: Loopback(host), Value: at, hostAt: hostAt})
	if a.About.Listeners == "" {
		return ls
	}
	for _, v := range a.setting(a.About.Listeners).Items() {
		l := Listener{Port: v.At("port").Str(), Prefix: v.At("prefix").Str(), Value: v, hostAt: v.At("bindAddress")}
		l.Loopback = Loopback(cmp.Or(v.At("bindAddress").Str(), a.About.DefaultHost))
		for _, res := range v.At("resources").Items() {
			l.Resources = append(l.Resources, res.Str())
		}
		ls = append(ls, l)
	}
	return ls
}

// Webhooks is the address under which others call it; absent where it tells of none.
func (a *Appservice) Webhooks() source.Value { return a.setting(a.About.Webhooks) }

// OtherConnections are those to PostgreSQL of what is no program of the stack: an address in its environment, or in a file that
// is known. Only those count that a PostgreSQL here may be meant by.
func (d *Deployment) OtherConnections() (cs []Connection) {
	add := func(s *Service, text string, at Leaf, alone bool) {
		if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
			return
		}
		c := fromURI(s, text, at)
		c.Other = true
		server := d.ServiceAt(c.Host)
		lost := server == nil && len(d.PostgresServers()) > 0 && (alone && Loopback(c.Host) && !d.Inhabits(s) || !strings.ContainsAny(c.Host, "./:$") && !Loopback(c.Host)) && !s.MoreNames && !s.NetworkMode.Set() && d.Target == Compose
		if c.PasswordReason == "" && c.Host != "" && (lost || server != nil && server.Program == component.Postgres) {
			cs = append(cs, c)
		}
	}
	for _, s := range d.Services {
		if !s.other() {
			continue
		}
		for _, v := range s.Variables {
			if v.Hidden == "" {
				add(s, v.Text, v.At, false) // an image of one's own may have a PostgreSQL inside
			}
		}
	}
	for _, a := range d.others {
		if v := a.setting(a.About.Database); v.Set() && a.Absent.Why == "" {
			add(a.Service, v.Str(), LeafOf(v), true)
		}
	}
	return cs
}

// other reports whether a service runs what is no program of the stack.
func (s *Service) other() bool { return s.Program == component.Unknown && s.Absent.Why == "" }

// told are the addresses that programs of others are told to ask: in their environment and command, and in files that are known.
func (d *Deployment) told() (ts []Talk) {
	usual := map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443", "redis": "6379", "rediss": "6379"}
	add := func(s *Service, text string, at func(string) source.Site) {
		u, err := url.Parse(text)
		if err != nil || usual[u.Scheme] == "" || u.Hostname() == "" {
			return
		}
		ts = append(ts, Talk{From: s, Host: u.Hostname(), Port: cmp.Or(u.Port(), usual[u.Scheme]), At: at, TLS: u.Scheme == "https" || u.Scheme == "wss"})
	}
	for _, s := range d.Services {
		if !s.other() {
			continue
		}
		for _, v := range s.Variables {
			if v.Hidden == "" && strings.Contains(v.Text, "://") {
				add(s, v.Text, v.At.Site)
			}
		}
		for _, w := range wordsOf(s.Cmd) {
			if strings.Contains(w.Text, "://") {
				add(s, w.Text, func(note string) source.Site {
					w.Site.Note = note
					return w.Site
				})
			}
		}
	}
	for _, a := range d.others {
		for _, v := range a.setting(a.About.Homeservers).Entries() {
			add(a.Service, v.At("url").Str(), v.At("url").Site)
		}
	}
	return ts
}
