package traefik_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
)

// lone is a table of one router with the given rule.
func lone(rule string, major int) *route.Table {
	return traefik.New(containers("container a\ntraefik.enable=true\ntraefik.http.services.a.loadbalancer.server.port=1\n"+
		"traefik.http.routers.a.tls=true\ntraefik.http.routers.a.rule="+rule), traefik.Options{Major: major})
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		major              int
		rule, method, host string
		path, want         string
	}{
		{3, "Host(`a.b`)", "GET", "A.B:8448", "/", "yes"},
		{3, "Host(`a.b`)", "GET", "a.b.", "/", "yes"},
		{3, "Host(`a.b.`)", "GET", "a.b", "/", "yes"},
		{3, "Host(`A.b`)", "GET", "a.b", "/", "yes"},
		{3, "Host(`a.b`)", "GET", "x.a.b", "/", "no"},
		{3, "Host(`*.a.b`)", "GET", "x.a.b", "/", "unknown"},
		{3, "Host(`*.a.b`)", "GET", "a.b", "/", "no"},
		{3, "Host(`::1`)", "GET", "[::1]:443", "/", "yes"},
		{3, "HostRegexp(`^.+\\.a\\.b$`)", "GET", "x.a.b:1", "/", "yes"},
		{3, "HostRegexp(`^.+\\.a\\.b$`)", "GET", "xaxb", "/", "no"},
		{3, "Path(`/a`)", "GET", "h", "/a?x=1", "yes"},
		{3, "Path(`/a`)", "GET", "h", "/a/", "no"},
		{3, "PathPrefix(`/auth`)", "GET", "h", "/authentication", "yes"},
		{3, "PathPrefix(`/a b`)", "GET", "h", "/a%20b/c", "yes"},
		{3, "PathPrefix(`/a/b`)", "GET", "h", "/a%2Fb", "no"},
		{3, "PathPrefix(`/a/b`)", "GET", "h", "/a%2fb", "no"},
		{3, "Path(`/a%2Fb`)", "GET", "h", "/a%2fb", "yes"},
		{3, "PathRegexp(`login`)", "GET", "h", "/x/login/y", "yes"},
		{3, "PathRegexp(`(?i)/LOGIN$`)", "GET", "h", "/x/login", "yes"},
		{3, "Method(`post`)", "POST", "h", "/", "yes"},
		{3, "Method(`POST`)", "GET", "h", "/", "no"},
		{3, "!Path(`/a`) && PathPrefix(`/`)", "GET", "h", "/b", "yes"},
		{3, "!(Path(`/a`) || Path(`/b`))", "GET", "h", "/b", "no"},
		{3, "Path(`/a`) || Path(`/b`) && Host(`x`)", "GET", "h", "/a", "yes"},
		{3, "(Path(`/a`) || Path(`/b`)) && Host(`x`)", "GET", "h", "/a", "no"},
		{3, "host(`h`) && PATHPREFIX(`/`) && Pathprefix(`/`)", "GET", "h", "/a", "yes"},
		{3, `Host("h")`, "GET", "h", "/", "yes"},
		{3, "Query(`a`)", "GET", "h", "/?a", "yes"},
		{3, "Query(`a`)", "GET", "h", "/?a=1", "no"},
		{3, "Query(`a`, `1`)", "GET", "h", "/?a=2&a=1", "yes"},
		{3, "QueryRegexp(`a`, `^[0-9]+$`)", "GET", "h", "/?a=12", "yes"},
		{3, "Header(`X-A`, `1`)", "GET", "h", "/", "unknown"},
		{3, "Header(`X-A`, `1`) && Path(`/x`)", "GET", "h", "/", "no"},
		{3, "Path(`/`) || HeaderRegexp(`X-A`, `1`)", "GET", "h", "/", "yes"},
		{3, "!ClientIP(`10.0.0.0/8`)", "GET", "h", "/", "unknown"},
		{3, "ClientIP(`10.0.0.0/99`)", "GET", "h", "/", "bad-rule"},
		{3, "Header(`X-A`)", "GET", "h", "/", "bad-rule"},
		{3, "Host(`a`, `b`)", "GET", "a", "/", "bad-rule"},
		{3, "Host()", "GET", "a", "/", "bad-rule"},
		{3, "Host(``)", "GET", "a", "/", "bad-rule"},
		{3, "Host(1)", "GET", "a", "/", "bad-rule"},
		{3, "Host(`ä.b`)", "GET", "a", "/", "bad-rule"},
		{3, "Path(`a`)", "GET", "a", "/", "bad-rule"},
		{3, "PathRegexp(`(`)", "GET", "a", "/", "bad-rule"},
		{3, "Headers(`a`, `b`)", "GET", "a", "/", "bad-rule"},
		{3, "`a`", "GET", "a", "/", "bad-rule"},
		{3, "Host(`a`) == Host(`b`)", "GET", "a", "/", "bad-rule"},
		{3, "Path(`/{a:x}`)", "GET", "a", "/x", "never-matches"},
		{3, "HostRegexp(`{sub:[a-z]+}.b`)", "GET", "a.b", "/", "never-matches"},
		{3, "PathRegexp(`^/a{2}$`)", "GET", "a.b", "/aa", "yes"},
		{2, "Host(`a`, `b`)", "GET", "B:1", "/", "yes"},
		{2, "HostHeader(`a`)", "GET", "a", "/", "yes"},
		{2, "HostRegexp(`{sub:[a-z]+}.b`, `c`)", "GET", "X.b", "/", "yes"},
		{2, "HostRegexp(`{sub}.b`)", "GET", "x.y.b", "/", "no"},
		{2, "Path(`/a`, `/b/{id:[0-9]+}`)", "GET", "h", "/b/12", "yes"},
		{2, "Path(`/b/{id:[0-9]+}`)", "GET", "h", "/b/12/", "no"},
		{2, "PathPrefix(`/b/{id:(?:x|y)}`)", "GET", "h", "/b/yz", "yes"},
		{2, "PathPrefix(`/b/{id}/c`)", "GET", "h", "/b/1/2/c", "no"},
		{2, "PathPrefix(`/b/{x:.*}/c`)", "GET", "h", "/b/1/2/cd", "yes"},
		{2, "PathPrefix(`/b/{x:[a-z]{2}}`)", "GET", "h", "/b/ab", "yes"},
		{2, "Method(`GET`, `POST`)", "POST", "h", "/", "yes"},
		{2, "Query(`a=1`, `b=`)", "GET", "h", "/?a=1&b=7", "yes"},
		{2, "Query(`a=1`)", "GET", "h", "/?a=2", "no"},
		{2, "Headers(`X-A`, `1`)", "GET", "h", "/", "unknown"},
		{2, "PathRegexp(`a`)", "GET", "h", "/", "bad-rule"},
		{2, "Path(`/{a`)", "GET", "h", "/", "bad-rule"},
		{2, "Path(`/{:x}`)", "GET", "h", "/", "bad-rule"},
	} {
		tab := lone(c.rule, c.major)
		got := strings.Join(kinds(tab), " ")
		if got == "" {
			got = "no"
			if res := tab.Match(c.method, c.host, c.path); res.Unknown != "" {
				got = "unknown"
			} else if res.Router != nil {
				got = "yes"
			}
		}
		if got != c.want {
			t.Errorf("Traefik %d: %s on %s %s%s: %s, want %s", c.major, c.rule, c.method, c.host, c.path, got, c.want)
		}
	}
}

func TestTies(t *testing.T) {
	for _, c := range []struct {
		a, b string
		tie  bool
	}{
		{"Host(`a`)", "Host(`b`)", false},
		{"Host(`a`)", "Host(`A`)", true},
		{"Host(`a`)", "PathPrefix(`/x`)", true},
		{"Host(`a`) || Host(`b`)", "Host(`b`)", true},
		{"Host(`a`) && PathPrefix(`/x`)", "Host(`a`) && PathPrefix(`/y`)", false},
		{"PathPrefix(`/x`)", "PathPrefix(`/x/y`)", true},
		{"PathPrefix(`/x`)", "PathRegexp(`^/x/[^/]+/y`)", true},
		{"PathPrefix(`/z`)", "PathRegexp(`^/x/[^/]+/y`)", false},
		{"Path(`/x/a`)", "PathRegexp(`^/x/[0-9]$`)", false},
		{"Path(`/x/1`)", "PathRegexp(`^/x/[0-9]$`)", true},
		{"PathPrefix(`/x/a`)", "!PathPrefix(`/x`)", false},
		{"HostRegexp(`^a`)", "Host(`b`)", false},
		{"Method(`GET`)", "Method(`POST`)", false},
		{"Host(`a`)", "Host(`a`) && Header(`X`, `1`)", true},
		{"Host(`a`)", "!Host(`a`)", false},
	} {
		text := "container a\ntraefik.enable=true\n" + tied("x", c.a) + tied("y", c.b)
		want := ""
		if c.tie {
			want = "tie"
		}
		for _, extra := range []struct{ labels, want string }{
			{"", want},
			{"traefik.http.routers.x.entrypoints=web\ntraefik.http.routers.y.entrypoints=other\n", ""},
			{"traefik.http.routers.x.priority=8\n", ""},
			{"traefik.http.routers.x.service=y\n", ""},
			{"traefik.http.services.y.loadbalancer.server.port=120\n", ""}, // the port of x
		} {
			if got := strings.Join(kinds(traefik.New(containers(text+extra.labels), traefik.Options{})), " "); got != extra.want {
				t.Errorf("%s and %s with %q: %q, want %q", c.a, c.b, extra.labels, got, extra.want)
			}
		}
	}
}

func tied(name, rule string) string {
	return strings.NewReplacer("NAME", name, "RULE", rule, "PORT", strconv.Itoa(int(name[0]))).Replace(`traefik.http.services.NAME.loadbalancer.server.port=PORT
traefik.http.routers.NAME.service=NAME
traefik.http.routers.NAME.priority=7
traefik.http.routers.NAME.tls=true
traefik.http.routers.NAME.rule=RULE
`)
}

func TestMiddlewares(t *testing.T) {
	for _, c := range []struct{ labels, path, want string }{
		{"addprefix.prefix=/p", "/a%2Fb", "/p/a%2Fb"},
		{"stripprefix.prefixes=/x, /a", "/a/b", "/b"},
		{"stripprefix.prefixes=/a", "/ab", "/b"},
		{"stripprefix.prefixes=/a", "/a", "/"},
		{"stripprefix.prefixes=/a", "/a//b", "400"},
		{"stripprefix.prefixes=/a b", "/a%20b/c%2Fd", "/c%2Fd"},
		{"stripprefixregex.regex=/[0-9]+", "/12/b", "/b"},
		{"replacepath.path=/n", "/a", "/n"},
		{"replacepath.path=/%zz", "/a", "500"},
		{"replacepathregex.regex=^/a/(.*)\nreplacepathregex.replacement=/b/$1", "/a/c", "/b/c"},
		{"redirectregex.regex=^https://h/a(.*)\nredirectregex.replacement=https://i/b${1}", "/a/c?x=1", "https://i/b/c?x=1"},
		{"redirectregex.regex=^http://h/a(.*)\nredirectregex.replacement=https://i/b${1}", "/a/c", "/a/c"},
		{"redirectscheme.scheme=https", "/a", "/a"},
		{"redirectscheme.scheme=https\nredirectscheme.port=444", "/a", "https://h:444/a"},
		{"headers.customrequestheaders.X-A=b", "/a", "/a"},
		{"basicauth.users=a:b", "/a", "/a"},
		{"compress=true", "/a", "/a"},
		{"plugin.any.thing=1", "/a", "unknown"},
	} {
		text := "container a\ntraefik.enable=true\ntraefik.http.services.a.loadbalancer.server.port=1\ntraefik.http.routers.a.rule=Host(`h`)\n" +
			"traefik.http.routers.a.tls=true\ntraefik.http.routers.a.middlewares=c@docker\ntraefik.http.middlewares.c.chain.middlewares=m\n"
		text += "traefik.http.middlewares.m." + strings.ReplaceAll(c.labels, "\n", "\ntraefik.http.middlewares.m.") + "\n"
		tab := traefik.New(containers(text), traefik.Options{})
		if len(tab.Problems) > 0 {
			t.Errorf("%s: %+v", c.labels, tab.Problems)
		}
		res := tab.Match("GET", "h", c.path)
		got := res.Path + res.Redirect
		if res.Refused != "" {
			got = res.Refused[:3]
		} else if res.Unknown != "" {
			got = "unknown"
		}
		if got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.labels, c.path, got, c.want)
		}
	}
}

func TestLabels(t *testing.T) {
	const head = "container a in n\ntraefik.enable=true\ntraefik.http.routers.a.rule=Host(`h`)\ntraefik.http.services.a.loadbalancer.server.port=1\n"
	for _, c := range []struct {
		major        int
		labels, want string
	}{
		{3, "traefik.http.routers.a.tls=true", ""},
		{3, "traefik.HTTP.Routers.A.TLS.certResolver=le", ""},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.routers.a.tls.domains[0].main=h\ntraefik.http.routers.a.tls.domains[0].sans=i,j\ntraefik.http.routers.a.tls.options=o", ""},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.routers.a.observability.accesslogs=false\ntraefik.http.routers.a.rulesyntax=v3", ""},
		{2, "traefik.http.routers.a.tls=true\ntraefik.http.routers.a.observability.accesslogs=false", "bad-label"},
		{2, "traefik.http.routers.a.tls=true\ntraefik.http.routers.a.rulesyntax=v3", "bad-label"},
		{3, "traefik.http.routers.a.tls=false", "no-tls"},
		{3, "", "no-tls"},
		{3, "traefik.http.routers.a.middlewares=up\ntraefik.http.middlewares.up.redirectscheme.scheme=https", ""},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.services.a.loadbalancer.healthcheck.path=/h\ntraefik.http.services.a.loadbalancer.healthcheck.interval=5s\ntraefik.http.services.a.loadbalancer.sticky.cookie=true\ntraefik.http.services.a.loadbalancer.strategy=p2c\ntraefik.http.services.a.loadbalancer.passhostheader=true\ntraefik.http.services.a.loadbalancer.serverstransport=x@file\ntraefik.http.services.a.loadbalancer.responseforwarding.flushinterval=1s", ""},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.services.a.loadbalancer.healthcheck.interval=often", "bad-label"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.services.a.loadbalancer.server.url=http://x:1", "bad-label"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.services.a.loadbalancer.server.port=http", "no-port"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.middlewares.x.nonsense.y=1", "bad-label"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.middlewares.x.stripprefix.prefix=/y", "bad-label"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.tcp.routers.x.rule=HostSNI(`*`)\ntraefik.udp.services.y.loadbalancer.server.port=1", ""},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.routers.a]=x", "bad-label"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http..a=x", "bad-label"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.frontend.rule=Host:h", "old-label"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.web.rule=Host:h", "ignored-label"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.routers.b.tls=true", "default-rule"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.routers.a.service=api@internal", ""},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.routers.a.service=x@file", "not-checked"},
		{3, "traefik.http.routers.a.tls=true\ntraefik.http.routers.a.middlewares=m\ntraefik.http.middlewares.m.chain.middlewares=m", "bad-middleware"},
	} {
		if got := strings.Join(kinds(traefik.New(containers(head+c.labels), traefik.Options{Major: c.major})), " "); got != c.want {
			t.Errorf("Traefik %d with\n%s\n%q, want %q", c.major, c.labels, got, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	text := "container my_app in n,m\ncom.example=x\n"
	if got := traefik.New(containers(text), traefik.Options{}); len(got.Routers)+len(got.Problems) > 0 {
		t.Errorf("a container without labels gives %+v", got)
	}
	tab := traefik.New(containers(text), traefik.Options{ExposedByDefault: true, DefaultNetwork: "n"})
	if diff := cmp.Diff([]string{"default-rule", "no-port", "no-tls"}, kinds(tab)); diff != "" {
		t.Error(diff)
	}
	if res := tab.Match("GET", "my-app-matrix", "/"); res.Backend == nil || res.Backend.Service != "my-app-matrix" || res.Backend.Scheme != "http" {
		t.Errorf("the default router answers with %+v", res.Backend)
	}
	tab = traefik.New(containers(text), traefik.Options{ExposedByDefault: true, DefaultNetwork: "p"})
	if kinds(tab)[3] != "unknown-network" {
		t.Error(kinds(tab))
	}
}

func TestEntryPoint(t *testing.T) {
	text := strings.ReplaceAll(readLabels(t, "v3.labels"), "routers.mas-compat.entrypoints=websecure", "routers.mas-compat.entrypoints=other")
	tab := traefik.New(containers(text), byHTTPS)
	if got := backend(tab.Match("GET", "philipp.info", "/_matrix/client/v3/login")); got != "synapse" {
		t.Errorf("a router of another entrypoint takes part: %s", got)
	}
}
