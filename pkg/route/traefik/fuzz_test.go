package traefik_test

import (
	"testing"

	"philipp.info/stackgen/pkg/route/traefik"
)

func FuzzRule(f *testing.F) {
	f.Add("Host(`a`) && (PathPrefix(`/x`) || !PathRegexp(`^/y`))", "a:443", "/x%2F?q=1")
	f.Fuzz(func(t *testing.T, rule, host, path string) {
		for _, major := range []int{2, 3} {
			tab := traefik.New([]traefik.Container{{Name: "a", Labels: []traefik.Label{
				{Key: "traefik.enable", Value: "true"},
				{Key: "traefik.http.routers.a.rule", Value: rule},
				{Key: "traefik.http.routers.a.middlewares", Value: "s"},
				{Key: "traefik.http.middlewares.s.stripprefix.prefixes", Value: path},
				{Key: "traefik.http.routers.b.rule", Value: "PathPrefix(`/x`)"},
				{Key: "traefik.http.routers.b.priority", Value: "1"},
			}}}, traefik.Options{Major: major})
			res := tab.Match("GET", host, path)
			if res.Router != nil && res.Router.Dropped != "" {
				t.Errorf("a dropped router answers: %+v", res.Router)
			}
			if again := tab.Match("GET", host, path); again.Router != res.Router || again.Path != res.Path || again.Unknown != res.Unknown {
				t.Errorf("two answers: %+v, %+v", res, again)
			}
		}
	})
}

func FuzzLabels(f *testing.F) {
	f.Add("container a in n,m\ntraefik.enable=true\ntraefik.http.routers.a.rule=Host(`h`)", "/")
	f.Fuzz(func(t *testing.T, text, path string) {
		list := containers(text)
		for _, major := range []int{2, 3} {
			tab := traefik.New(list, traefik.Options{Major: major, ExposedByDefault: true})
			res := tab.Match("GET", "h", path)
			if res.Router != nil && len(res.Tried) == 0 {
				t.Errorf("a router answers that was not tried: %+v", res.Router)
			}
			for _, p := range tab.Problems {
				if p.Message == "" || len(p.Sites) == 0 {
					t.Errorf("an empty problem: %+v", p)
				}
			}
		}
	})
}
