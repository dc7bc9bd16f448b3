package deployment

import (
	"cmp"
	"errors"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/coturn"
	"philipp.info/stackgen/pkg/source"
)

// TurnServer is a coturn of the stack with its settings.
type TurnServer struct {
	*Service
	coturn.Settings
	Hidden string // why not all of them can be seen
	Unread string // the file that it is given and told by -n not to read
	Site   source.Site
}

// turnFile is what coturn reads where nothing else is named; its images look below /etc/coturn, others below /etc.
var turnFiles = []string{"/etc/turnserver.conf", "/etc/coturn/turnserver.conf"}

// turnImages are coturn's own, which bring a file without any settings.
var turnImages = []string{"coturn/coturn", "ghcr.io/coturn/coturn", "instrumentisto/coturn"}

// TurnServers are the services whose image is coturn's.
func (d *Deployment) TurnServers() (list []TurnServer) {
	for _, s := range d.Services {
		if s.Program == component.Coturn && s.Absent.Why == "" {
			list = append(list, d.turnServer(s))
		}
	}
	return list
}

func (d *Deployment) turnServer(s *Service) TurnServer {
	t := TurnServer{Service: s, Site: s.Site("")}
	var words []coturn.Word
	for _, w := range s.CommandWords() {
		if name := path.Base(w.Text); len(words) == 0 && (name == "sh" || name == "bash") {
			t.Hidden = "its command is a script"
			return t
		}
		if strings.Contains(w.Text, "$(") && !strings.Contains(w.Text, "detect-external-ip") {
			t.Hidden = "a command makes its settings"
		}
		words = append(words, coturn.Word(w))
	}
	flags := coturn.Flags(words)
	files := turnFiles
	if o, ok := flags.Last("c"); ok {
		files = []string{o.Value}
	}
	if _, none := flags.Last("n"); none { // wherever it stands, before -c or behind it
		for _, name := range files {
			if m := s.MountAt(name); m != nil && path.Clean(m.Container) == name {
				t.Unread = name
			}
		}
		files = nil
	}
	read := files == nil
	for _, name := range files {
		if !path.IsAbs(name) {
			t.Hidden = name + " is looked for in many directories"
			continue
		}
		text, host, reason := d.Text(s, name)
		if reason == "" {
			t.Settings = coturn.Parse(&source.File{Path: host, Src: []byte(text)})
			t.Site = source.Site{Pos: source.Pos{File: host}}
			read = true
			break
		}
		if m := s.MountAt(name); !LeadsNowhere(reason) || m != nil && (path.Clean(m.Container) == name || !d.there(m.Host)) { // which another rule misses
			t.Hidden = name + " cannot be seen: " + reason
		}
	}
	if own := strings.TrimPrefix(s.Image.Repository, "docker.io/"); t.Hidden == "" && !slices.Contains(turnImages, own) {
		switch {
		case !read:
			t.Hidden = "its image is none of coturn's own, and may bring settings with it"
		case len(words) == 0 && len(s.Variables) > 0:
			t.Hidden = "its image is none of coturn's own, and may make settings of the environment that it is given"
		}
	}
	t.Settings = append(t.Settings, flags...)
	return t
}

// there reports whether a path exists.
func (d *Deployment) there(host string) bool {
	_, err := fs.Stat(d.FS, host)
	return !errors.Is(err, fs.ErrNotExist)
}

// TurnURI is one of Synapse's turn_uris.
type TurnURI struct {
	Secure     bool
	Host, Port string
	Transport  string
	At         source.Value
}

// TurnURIs are those that a Synapse hands out, of the ones that can be read.
func (s *Synapse) TurnURIs() (list []TurnURI) {
	for _, v := range Listed(s.Config.At("turn_uris")) {
		kind, rest, ok := strings.Cut(v.Str(), ":")
		if !ok || kind != "turn" && kind != "turns" {
			continue
		}
		u := TurnURI{Secure: kind == "turns", At: v, Transport: "udp"}
		if u.Secure {
			u.Transport = "tcp"
		}
		address, query, _ := strings.Cut(rest, "?")
		if t, ok := strings.CutPrefix(query, "transport="); ok {
			u.Transport = strings.ToLower(t)
		}
		u.Host, u.Port, _ = strings.Cut(address, ":")
		if strings.HasPrefix(address, "[") {
			continue // an address of IPv6
		}
		u.Port = cmp.Or(u.Port, map[bool]string{false: "3478", true: "5349"}[u.Secure])
		list = append(list, u)
	}
	return list
}

// PortSpan is a run of ports that a service publishes on the host.
type PortSpan struct {
	First, Last int // on the host
	To          int // the first in the container
	Protocol    string
	Local       bool // bound to a loopback address of the host
}

// Outside are the published ports that others reach from outside of the host.
func (s *Service) Outside() []PortSpan {
	return slices.DeleteFunc(slices.Clone(s.Spans), func(p PortSpan) bool { return p.Local })
}

// DockerNetworks are the networks of a service as far as they are known: those that the compose file says, or else the
// pool that Docker takes them from first.
func (d *Deployment) DockerNetworks(s *Service) (list []netip.Prefix) {
	for _, key := range s.Networks {
		list = append(list, Prefixes(d.Network(key).Subnets...)...)
	}
	if len(list) == 0 {
		list = DockerPools[:1]
	}
	return list
}

// Bridged reports whether a service is on networks that Compose makes with Docker's own driver, alone.
func (d *Deployment) Bridged(s *Service) bool {
	if s.NetworkMode.Set() {
		return false
	}
	return !slices.ContainsFunc(s.Networks, func(key string) bool {
		n := d.Network(key)
		return n.External.Set() || n.Driver != "" && n.Driver != "bridge"
	})
}
