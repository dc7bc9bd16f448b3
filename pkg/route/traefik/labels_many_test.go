package traefik_test

import (
	"fmt"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

func TestHas(t *testing.T) {
	c := traefik.Container{Labels: []traefik.Label{{Key: "traefik.HTTP.routers.a.tls.options"}, {Key: "traefik.enable"}}}
	for key, want := range map[string]bool{
		"traefik": true, "traefik.http": true, "traefik.http.routers.A": true, "traefik.http.routers.a.tls.options": true,
		"Traefik.Enable": true, "traefik.en": false, "traefik.http.routers.b": false, "": false,
	} {
		if got := c.Has(key); got != want {
			t.Errorf("Has(%q) is %v", key, got)
		}
	}
}

// A label costs the same beside ten thousand others: of a file of 4 MiB, each of its routers is found.
func TestManyLabels(t *testing.T) {
	at := func(line int) source.Site { return source.Site{Pos: source.Pos{File: "labels", Line: line, Col: 1}} }
	read := func(n int) time.Duration {
		c := traefik.Container{Name: "a", Site: at(1), Labels: []traefik.Label{{Key: "traefik.http.services.a.loadbalancer.server.port", Value: "80", Site: at(2)}}}
		for i := range n {
			c.Labels = append(c.Labels, traefik.Label{Key: fmt.Sprintf("traefik.http.routers.r%05d.middlewares", i), Value: "m", Site: at(10 * i)},
				traefik.Label{Key: fmt.Sprintf("traefik.http.routers.r%05d.rule", i), Value: "Host(`h`)", Site: at(10*i + 1)})
		}
		start := time.Now()
		found := traefik.New([]traefik.Container{c}, traefik.Options{ExposedByDefault: true})
		took := time.Since(start)
		if len(found.Routers) != n {
			t.Fatalf("%d routers of %d", len(found.Routers), n)
		}
		for _, r := range found.Routers {
			var i int
			if _, err := fmt.Sscanf(r.Name, "r%05d", &i); err != nil || r.Site.Line != 10*i+1 {
				t.Fatalf("router %s at line %d: %v", r.Name, r.Site.Line, err)
			}
		}
		return took
	}
	if took := read(10_000); took > time.Minute {
		t.Errorf("10,000 routers took %v", took)
	}
}
