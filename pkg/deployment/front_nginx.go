package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route/nginx"
	"philipp.info/stackgen/pkg/source"
)

// isNginx goes by the image: nginx's own, one without root, SWAG, or Nginx Proxy Manager.
func (s *Service) isNginx() bool {
	name := path.Base(s.Image.Repository)
	return slices.Contains([]string{"nginx", "nginx-unprivileged", "nginx-proxy-manager", "nginxproxymanager", "npmplus", "swag", "openresty", "angie", "freenginx"}, name)
}

// nginxServers are where images have the servers that their own nginx.conf includes, in the order of that.
var nginxServers = []string{
	"/etc/nginx/conf.d/*.conf", "/etc/nginx/http.d/*.conf", "/etc/nginx/sites-enabled/*",
	"/config/nginx/site-confs/*.conf", "/config/nginx/proxy-confs/*.subdomain.conf", // SWAG
	"/data/nginx/proxy_host/*.conf", "/data/nginx/redirection_host/*.conf", // Nginx Proxy Manager
	"/opt/bitnami/nginx/conf/server_blocks/*.conf",
}

// nginx reads the configuration of an nginx: its main file, or what the one of its image includes. It is nil for an nginx
// with no configuration of the stack's own, which only serves files.
func (d *Deployment) nginx(s *Service) *Front {
	f := &Front{Name: "nginx", Service: s}
	o := nginx.Options{
		Glob:     func(pattern, from string) ([]*source.File, string) { return d.nginxFiles(s, pattern, from) },
		Upstream: func(host, port string) (string, string) { return d.upstream(s, host, port) },
		Public:   s.public(),
		Files:    func(inside string) (text, at, reason string) { return d.Text(s, inside) },
	}
	if why := d.writtenAtStart(s, "/etc/nginx", "/config/nginx"); why != "" {
		f.Unseen = "the configuration of " + s.Name + " cannot be seen: " + why
		f.table = unseenTable(f.Unseen)
		return f
	}
	name := s.flag("/etc/nginx/nginx.conf", "-c")
	var main *source.File
	if _, host, reason := d.Text(s, name); reason == "" {
		main = d.file(host)
	} else if !LeadsNowhere(reason) && (s.MountAt(name) != nil || s.BakedAt(name) != nil) && d.file(host) == nil && !strings.Contains(reason, "does not exist") {
		f.Unseen = "the configuration of " + s.Name + " cannot be seen: " + reason
		f.table = unseenTable(f.Unseen)
		return f
	}
	var servers []*source.File
	hidden := ""
	for _, pattern := range nginxServers {
		dir := path.Dir(pattern)
		if main != nil || s.MountAt(dir) == nil && s.BakedAt(dir) == nil && !slices.ContainsFunc(s.holdings(), func(m Mount) bool { return Under(path.Clean(m.Container), dir) }) {
			continue
		}
		found, why := d.nginxFiles(s, pattern, "")
		servers = append(servers, found...)
		if why != "" {
			hidden = why
		}
	}
	if main == nil {
		servers = append(servers, d.nginxTemplates(s)...)
	}
	switch {
	case main == nil && len(servers) == 0 && hidden != "":
		f.Unseen = "the configuration of " + s.Name + " cannot be seen: " + hidden
		f.table = unseenTable(f.Unseen)
		return f
	case main == nil && len(servers) == 0:
		return nil
	}
	f.table = nginx.New(main, servers, o)
	for _, p := range f.table.Problems {
		f.Unseen = p.Message
	}
	return f
}

// nginxFiles finds the files of an include: relative ones lie below the directory of nginx.conf, and files that are
// mounted one by one into a directory are found there, too.
func (d *Deployment) nginxFiles(s *Service, pattern, from string) (files []*source.File, hidden string) {
	if !path.IsAbs(pattern) {
		pattern = path.Join("/etc/nginx", pattern)
	}
	seen := make(map[string]bool)
	if s.MountAt(path.Dir(pattern)) != nil || s.BakedAt(path.Dir(pattern)) != nil {
		found, why := d.globbed(s, pattern, from)
		if !strings.Contains(why, "does not exist") {
			hidden = why
		}
		for _, f := range found {
			files, seen[f.Path] = append(files, f), true
		}
	}
	whole := strings.ContainsAny(path.Base(pattern), "*?[")
	for _, m := range s.holdings() {
		inside := path.Clean(m.Container)
		if ok, _ := path.Match(pattern, inside); !ok || inside == path.Dir(pattern) {
			continue
		}
		_, host, why := d.Text(s, inside)
		switch f := d.file(host); {
		case why != "":
			hidden = why
		case f != nil && !seen[f.Path]:
			files, seen[f.Path] = append(files, f), true
		}
	}
	slices.SortStableFunc(files, func(a, b *source.File) int { return strings.Compare(path.Base(a.Path), path.Base(b.Path)) })
	if len(files) == 0 && hidden == "" && !whole {
		hidden = "it is not among what is mounted"
	}
	return files, hidden
}

var templateVariable = regex.Of(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)`)

// nginxTemplates fills in the templates of nginx's image: of its variables those that the container has.
func (d *Deployment) nginxTemplates(s *Service) (files []*source.File) {
	found, _ := d.nginxFiles(s, "/etc/nginx/templates/*.template", "")
	for _, f := range found {
		text := templateVariable().ReplaceAllStringFunc(string(f.Src), func(m string) string {
			if v := s.variable(strings.Trim(m, "${}")); v != nil && v.Hidden == "" {
				return v.Text
			}
			return m
		})
		files = append(files, &source.File{Path: f.Path, Src: []byte(text)})
	}
	return files
}
