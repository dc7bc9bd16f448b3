package render_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// What is rendered for each proxy holds every rule, and what breaks in it is found by the rule that is for it, with a place
// in the file that was changed, or, where a site lacks something, in the file that has the site; what Traefik is set to is held
// against what names it.
func TestProxyFaults(t *testing.T) {
	for ingress, faults := range proxyFaults {
		t.Run(ingress, func(t *testing.T) { findsEach(t, fixture.Ingress(ingress), faults) })
	}
}

// The same for the page for administrators: it and the admin APIs are reached from the networks of the spec, and from
// nowhere else.
func TestAdminFaults(t *testing.T) {
	for ingress, faults := range adminFaults {
		t.Run(ingress, func(t *testing.T) {
			findsEach(t, fixture.Ingress(ingress)+"admin: {allow_from: [10.0.0.0/8, 203.0.113.7]}\n", faults)
		})
	}
}

// fault is an edit of a file, and the rule that finds it.
type fault struct{ file, old, new, rule string }

const (
	caddy, site = "config/caddy/matrix.caddy", "config/caddy/Caddyfile"
	nginx, apex = "config/nginx/matrix/matrix.philipp.info.conf", "config/nginx/matrix/philipp.info.conf"
	labels      = "docker-compose.yml"
	static      = "config/traefik/traefik.yml"
	routed      = "config/traefik/routes/matrix.yml"
)

var proxyFaults = map[string][]fault{
	"{kind: caddy}": {
		{caddy, "(login|logout|refresh)(/.*)?$\n\thandle @matrix-mas-compat", "(login|logout)(/.*)?$\n\thandle @matrix-mas-compat", "compat-router-wins"},
		{caddy, "client/[^/]+/(login", "client/.*/(login", "compat-router-wins"},
		{caddy, "strip_prefix /auth", "strip_prefix /aut", "mas-path-routing"},
		{caddy, "redir https://matrix.philipp.info/auth/", "redir https://matrix.philipp.info/", "mas-path-routing"},
		{caddy, "/_synapse/client/", "/_synapse/", "internal-apis-private"},
		{caddy, "@matrix-mas path_regexp ^/auth/", "@matrix-mas path_regexp ^/login/", "mas-path-routing"},
		{caddy, "reverse_proxy 127.0.0.1:8009", "reverse_proxy 127.0.0.1:8008", "compat-router-wins"},
		{caddy, "@matrix-apex path_regexp ^/_matrix/", "@matrix-apex path_regexp ^/matrix/", "apex-matrix-routed"},
		{site, "\timport matrix-apex\n", "", "apex-matrix-routed"},
	},
	"{kind: nginx}": {
		{nginx, "(login|logout|refresh)", "(login|logout)", "compat-router-wins"},
		{nginx, "client/[^/]+/(login", "client/.*/(login", "compat-router-wins"},
		{nginx, "rewrite ^/auth(/.*)$", "rewrite ^/aut(h/.*)$", "mas-path-routing"},
		{nginx, "return 302 https://matrix.philipp.info/auth/", "return 302 https://matrix.philipp.info/", "mas-path-routing"},
		{nginx, "location ^~ /_synapse/client/", "location ^~ /_synapse/", "internal-apis-private"},
		{nginx, "location ^~ /auth/", "location ^~ /login/", "mas-path-routing"},
		{nginx, "\t\tproxy_pass http://127.0.0.1:8009", "\t\tproxy_pass http://127.0.0.1:8008", "compat-router-wins"},
		{apex, "location ^~ /_matrix/", "location ^~ /matrix/", "apex-matrix-routed"},
	},
	"{kind: caddy, caddy: {network: caddy, form: labels}}": {
		{labels, "caddy_0.1_handle: ", "caddy_0.9_handle: ", "compat-router-wins"},
		{labels, "strip_prefix /auth", "strip_prefix /aut", "mas-path-routing"},
		{labels, "|/_synapse/client/", "|/_synapse/", "internal-apis-private"},
		{labels, "caddy_1.3_handle: \"@matrix-apex\"", "caddy_1.3_handle: \"@matrix-well-known\"", "apex-matrix-routed"},
	},
	"{traefik: {managed: true, email: anna@example.org}}": {
		{static, "address: \":8443\"", "address: \":8444\"", "traefik-ports-published"},
		{static, "respondingTimeouts", "respondingTimeout", "traefik-known-keys"},
		{static, "directory: \"/etc/traefik/routes\"", "directory: \"/etc/traefik/route\"", "traefik-provider-mounted"},
		{static, "\"websecure\":", "\"https\":", "traefik-router-complete"},
		{static, "\"letsencrypt\":", "\"acme\":", "traefik-router-complete"},
		{static, "[\"hsts@file\"]", "[\"hsts2@file\"]", "traefik-reference-defined"},
		{routed, "(login|logout|refresh)", "(login|logout)", "compat-router-wins"},
		{routed, "priority: 300", "priority: 50", "compat-router-wins"},
		{routed, "prefixes: [\"/auth\"]", "prefixes: [\"/aut\"]", "mas-path-routing"},
		{routed, "PathPrefix(`/_synapse/client/`)", "PathPrefix(`/_synapse/`)", "internal-apis-private"},
		{routed, "Host(`philipp.info`) && PathPrefix(`/_matrix/`)", "Host(`philipp.info`) && PathPrefix(`/matrix/`)", "apex-matrix-routed"},
		{routed, "http://matrix-stack-mas:8080", "http://matrix-stack-mas:8081", "mas-path-routing"},
		{routed, "[\"matrix-mas-slash\", \"matrix-mas-strip\"]", "[\"matrix-mas-slash\", \"matrix-mas-stripe\"]", "traefik-reference-defined"},
		{routed, "rule: \"Host(`matrix", "rule: \"Hosts(`matrix", "traefik-rule-parses"},
		{labels, "\"443:8443\"", "\"443:443\"", "traefik-ports-published"},
	},
	"{kind: nginx, nginx: {network: proxy}}": {
		{nginx, "set $stackgen_backend matrix-stack-mas:8080;\n\trewrite ^/auth(/.*)$ $1 break;", "set $stackgen_backend matrix-stack-mas:8080;", "mas-path-routing"},
	},
}

var adminFaults = map[string][]fault{
	"{kind: caddy}": {
		{caddy, "@matrix-admin-outside not remote_ip 10.0.0.0/8 ", "@matrix-admin-outside not remote_ip 0.0.0.0/0 ", "internal-apis-private"},
		{caddy, "respond @matrix-admin-outside 403\n", "\n", "internal-apis-private"},
		{caddy, "respond @matrix-mas-admin-outside 403\n", "\n", "internal-apis-private"},
		{caddy, "@matrix-admin path_regexp ^/_synapse/admin/", "@matrix-admin path_regexp ^/_synapse/", "internal-apis-private"},
		{caddy, "@matrix-admin path_regexp ^/_synapse/admin/", "@matrix-admin path_regexp ^/_synapse/admin2/", "admin-apis-reached"},
	},
	"{kind: nginx}": {
		{nginx, "location ^~ /_synapse/admin/ {\n\tallow 10.0.0.0/8;", "location ^~ /_synapse/admin/ {\n\tallow 0.0.0.0/1;", "internal-apis-private"},
		{nginx, "location ^~ /_synapse/admin/ {\n\tallow 10.0.0.0/8;\n\tallow 203.0.113.7;\n\tdeny all;", "location ^~ /_synapse/admin/ {", "internal-apis-private"},
		{nginx, "location ^~ /auth/api/admin/ {\n\tallow 10.0.0.0/8;\n\tallow 203.0.113.7;\n\tdeny all;", "location ^~ /auth/api/admin/ {", "internal-apis-private"},
		{nginx, "location ^~ /_synapse/admin/", "location ^~ /_synapse/", "internal-apis-private"},
		{nginx, "location ^~ /_synapse/admin/", "location ^~ /_synapse/admins/", "admin-apis-reached"},
	},
	"{traefik: {managed: true, email: anna@example.org}}": {
		{routed, "sourceRange: [\"10.0.0.0/8\"", "sourceRange: [\"0.0.0.0/0\"", "internal-apis-private"},
		{routed, "PathPrefix(`/_synapse/admin/`)", "PathPrefix(`/_synapse/`)", "internal-apis-private"},
		{routed, "middlewares: [\"matrix-admin-allow\"]", "middlewares: []", "internal-apis-private"},
		{"config/ketesa/config.json", "https://matrix.philipp.info", "https://matrix.example.org", "admin-apis-reached"},
		{"config/mas/config.yaml", "        - name: adminapi\n", "", "admin-apis-reached"},
	},
	"{kind: traefik}": {
		{labels, "ipallowlist.sourcerange: \"10.0.0.0/8", "ipallowlist.sourcerange: \"10.0.0.0/7", "internal-apis-private"},
		{labels, "routers.matrix-admin.middlewares: \"matrix-admin-allow\"", "routers.matrix-admin.middlewares: \"\"", "internal-apis-private"},
		{labels, "routers.matrix-mas-admin.middlewares: \"matrix-mas-admin-allow,", "routers.matrix-mas-admin.middlewares: \"", "internal-apis-private"},
		{labels, "PathPrefix(`/_synapse/admin/`)", "PathPrefix(`/_synapse/`)", "internal-apis-private"},
	},
	"{kind: nginx, nginx: {network: proxy}}": {
		{nginx, "location ^~ /_synapse/admin/ {\n\tallow 10.0.0.0/8;", "location ^~ /_synapse/admin/ {\n\tallow 0.0.0.0/0;", "internal-apis-private"},
	},
	"{kind: caddy, caddy: {network: caddy, form: labels}}": {
		{labels, "@matrix-admin-outside.not: \"remote_ip 10.0.0.0/8", "@matrix-admin-outside.not: \"remote_ip 0.0.0.0/0", "internal-apis-private"},
	},
}

// findsEach renders a spec that no rule finds fault with, and wants each fault found.
func findsEach(t *testing.T, src string, faults []fault) {
	t.Helper()
	b := load(t, "stack.yaml", []byte(src))
	if found := judged(t, b.FS()); len(found) > 0 {
		t.Fatalf("%+v", found)
	}
	for _, f := range faults {
		var files []memfs.File
		for _, file := range b.Files {
			data := file.Data
			if file.Path == f.file {
				if !strings.Contains(string(data), f.old) {
					t.Errorf("%s has no %q", f.file, f.old)
				}
				data = bytes.Replace(data, []byte(f.old), []byte(f.new), 1)
			}
			files = append(files, memfs.File{Path: file.Path, Data: data})
		}
		found := judged(t, memfs.New(files))
		if !slices.ContainsFunc(found, func(o finding.Finding) bool {
			return o.Rule == f.rule && slices.ContainsFunc(o.Sites, func(s source.Site) bool {
				return s.File == f.file || slices.Contains([]string{site, apex, static}, f.file)
			})
		}) {
			t.Errorf("%s with %q for %q: %s does not find it, but %+v", f.file, f.new, f.old, f.rule, found)
		}
	}
}

// judged are the findings in a tree, without those about owners and hashes, which a change of a file alone brings.
func judged(t *testing.T, tree *memfs.FS) []finding.Finding {
	t.Helper()
	d, problems := compose.Open(tree)
	found, _ := check.Run(d, composego.Judge)
	return slices.DeleteFunc(append(problems, found...), func(f finding.Finding) bool {
		return f.Severity == finding.Info || f.Rule == "compose-config-hash" || f.Rule == "config-readable"
	})
}
