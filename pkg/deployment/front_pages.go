package deployment

import (
	"path"

	"philipp.info/stackgen/pkg/route"
)

// nginxPages is what nginx's image serves as long as nobody gives it another configuration (conf.d/default.conf of nginxinc/docker-nginx).
const nginxPages = "/usr/share/nginx/html"

// pages is the table of an nginx that has the configuration of its image, for the files of Matrix that it serves; nil where it is
// another one, or has none of the files here. Of all else nothing is told.
func (d *Deployment) pages(s *Service) *route.Table {
	name := path.Base(s.Image.Repository)
	if s.Absent.Why != "" || name != "nginx" && name != "nginx-unprivileged" || len(s.Command()) > 0 {
		return nil
	}
	var from *Mount
	for _, m := range s.holdings() {
		switch inside := path.Clean(m.Container); {
		case Under(inside, "/etc/nginx"), Under("/etc/nginx", inside), Under(inside, "/docker-entrypoint.d"):
			return nil
		case Under(inside, nginxPages) || Under(nginxPages, inside):
			from = &m
		}
	}
	if from == nil {
		return nil
	}
	r := &route.Router{Name: "location / of its image", Rule: "any name", Explicit: true, Container: s.Name, Site: from.At.Site("")}
	return route.NewProgram(route.Parts{}, "", func(a route.Ask) (end route.End) {
		if end.Serve(func(inside string) (text, at, reason string) { return d.Text(s, inside) }, a.URL.Path, path.Join(nginxPages, path.Clean(a.URL.Path)), ""); end.File != "" {
			end.Router = r
		}
		return end
	})
}
