package traefik

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/route"
)

// TestManyRouters: labels that nobody would write do not hold up a check, which says where it stopped; and a
// large stack is compared to the end.
func TestManyRouters(t *testing.T) {
	build := func(n int, rule func(i int) string) (*route.Table, time.Duration) {
		c := Container{Name: "c", Networks: []string{"n"}, Labels: []Label{{Key: "traefik.enable", Value: "true"}}}
		for i := range n {
			key := fmt.Sprintf("traefik.http.routers.r%d.", i)
			c.Labels = append(c.Labels, Label{Key: key + "rule", Value: rule(i)}, Label{Key: key + "service", Value: fmt.Sprint("s", i%2)})
		}
		for i, port := range []string{"80", "81"} {
			c.Labels = append(c.Labels, Label{Key: fmt.Sprintf("traefik.http.services.s%d.loadbalancer.server.port", i), Value: port})
		}
		began := time.Now()
		table := New([]Container{c}, Options{})
		return table, time.Since(began)
	}
	or := func(n int, call func(k int) string) string {
		var calls []string
		for k := range n {
			calls = append(calls, call(k))
		}
		return "(" + strings.Join(calls, "||") + ")"
	}
	gaveUp := func(table *route.Table) bool {
		return slices.ContainsFunc(table.Problems, func(p route.Problem) bool {
			return p.Kind == route.TooMany && len(p.Sites) == 2 && p.Container == "c" && p.Router != ""
		})
	}
	for name, tt := range map[string]struct {
		n    int
		rule func(i int) string
	}{
		"all tie": {1500, func(int) string { return "PathPrefix(`/a`)" }},
		"regexps": {1000, func(i int) string { return fmt.Sprintf("Host(`h.org`) && PathRegexp(`^/(a+)+%d$`)", i) }},
		"alternatives": {400, func(i int) string {
			return or(8, func(k int) string { return fmt.Sprintf("Host(`h%d.org`)", k) }) + "&&" + or(8, func(k int) string { return fmt.Sprintf("PathPrefix(`/%d/%d`)", i, k) })
		}},
		"long rules": {40, func(i int) string {
			return strings.Repeat("PathPrefix(`/`) && ", 500) + fmt.Sprintf("PathPrefix(`/%d`)", i)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			table, took := build(tt.n, tt.rule)
			if len(table.Routers) != tt.n || !gaveUp(table) {
				t.Errorf("%d routers, and it does not say that it gave up", len(table.Routers))
			}
			if len(table.Problems) > 2*tt.n+1000 {
				t.Errorf("%d problems", len(table.Problems))
			}
			if took > time.Minute { // a second, on a machine that does nothing else
				t.Errorf("it took %s", took)
			}
		})
	}
	table, _ := build(400, func(i int) string { return fmt.Sprintf("Host(`h%d.example.org`) && PathPrefix(`/x`)", i) })
	if len(table.Routers) != 400 || gaveUp(table) {
		t.Error("400 services with a host each are too many")
	}
}
