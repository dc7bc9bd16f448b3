package deployment

import (
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Admin is a ketesa, a page for administrators, with what it tells browsers. Where no file is mounted, or it names no homeserver,
// people type one.
type Admin struct {
	*Service
	Config *source.File // nil where none is mounted, or it cannot be seen
	Hidden string       // why it cannot be seen
}

func (d *Deployment) readAdmin(s *Service) {
	a := &Admin{Service: s}
	f, reason, hidden := d.Follow(s, component.Of(component.Ketesa).Config.File)
	if a.Config = f; f == nil && hidden {
		a.Hidden = reason
	}
	d.Admins = append(d.Admins, a)
}

// Homeservers are those that the interface is held to, as its configuration writes them.
func (a *Admin) Homeservers() (list []source.Value) {
	if a.Config == nil {
		return nil
	}
	v := a.Config.At("restrictBaseUrl")
	if items := v.Items(); v.Kind() == source.Sequence {
		return append(list, items...)
	}
	if v.Str() != "" {
		list = append(list, v)
	}
	return list
}

// AdminAPI is where a browser finds the admin API of MAS: host and path of its first request. ok is false where MAS has none.
func (m *MAS) AdminAPI() (host, path string, ok bool) {
	u, err := url.Parse(m.Config.At("http", "public_base").Str())
	has := slices.ContainsFunc(MasListeners(m), func(l Listener) bool { return slices.Contains(l.Resources, "adminapi") })
	if err != nil || u.Host == "" || !has {
		return "", "", false
	}
	return u.Hostname(), strings.TrimSuffix(u.Path, "/") + "/api/admin/v1/users", true
}

// Guards are the middlewares on the way of a request that let only some through.
func (d *Deployment) Guards(res route.Result) (all []*route.Middleware) {
	if len(res.Guards) > 0 {
		return res.Guards
	}
	if res.Router == nil {
		return nil
	}
	var names []string
	for _, r := range append(slices.Clip(res.Through), res.Router) {
		names = append(names, r.Middlewares...)
	}
	for _, m := range d.Routes().Middlewares {
		name, _, _ := strings.Cut(m.Name, "@")
		named := slices.ContainsFunc(names, func(n string) bool { n, _, _ = strings.Cut(n, "@"); return strings.EqualFold(n, name) })
		if named && slices.Contains([]string{"ipallowlist", "ipwhitelist", "basicauth", "digestauth", "forwardauth"}, strings.ToLower(m.Type)) {
			all = append(all, m)
		}
	}
	return all
}

// AdminsFrom are the networks from which alone the admin API of a Synapse is reached; nil where everybody reaches it, nobody, or it
// cannot be told who.
func (d *Deployment) AdminsFrom(s *Synapse) []string {
	res := d.Routes().Match("GET", s.MatrixHost(), "/_synapse/admin/v1/server_version")
	if res.Backend == nil || !s.Is(res.Backend.Container) {
		return nil
	}
	for _, g := range d.Guards(res) {
		if g.Allows != nil && g.Stranger() == "" {
			return g.Allows
		}
	}
	return nil
}
