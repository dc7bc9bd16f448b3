package manifests_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/manifests"
)

// fewWorkers have each kind of talk between processes.
const fewWorkers = "synapse: {workers: {sync: 1, federation_sender: 1, event_persister: 1}}\n"

// barred are the talks that policies do not let through, as "FROM > TO:PORT", and the ports that a proxy does not reach.
func barred(d *deployment.Deployment) (list []string) {
	for _, t := range d.Hops() {
		if port := d.Inner(t.Host, t.Port); d.Barred(t.From, t.To, port) != nil {
			list = append(list, t.From.Name+" > "+t.To.Name+":"+port)
		}
	}
	for _, svc := range d.Routes().Services {
		for _, b := range svc.Backends {
			if s := d.Service(b.Container); s != nil && d.Unanswered(s, b.Port) != nil {
				list = append(list, "the proxy > "+s.Name+":"+b.Port)
			}
		}
	}
	return list
}

// The policies let through all who talk to each other and nobody else, and each name in them is needed: without it, somebody is cut off.
func TestPoliciesAreTight(t *testing.T) {
	tree := made(t, rendered(t, fixture.Ingress(behindTraefik)+fewWorkers), manifests.Options{Gateway: &manifests.Gateway{Name: "public", Namespace: "infra"}, Proxy: "infra"})
	d, findings := kubernetes.Open(tree)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	if cut := barred(d); len(cut) > 0 {
		t.Errorf("cut off: %s", cut)
	}
	talks := make(map[[2]string]bool)
	for _, h := range d.Hops() {
		talks[[2]string{h.From.Name, h.To.Name}] = true
	}
	open := 0
	for _, from := range d.Services {
		for _, to := range d.Services {
			for _, port := range []string{"5432", "6379", "8008", "8080", "9093", "29328", "22"} {
				before := strings.Contains(from.Name+to.Name, "/") // what runs before a pod's program is let through as that is
				if from == to || before || d.Barred(from, to, port) != nil {
					continue
				}
				pair := [2]string{from.Name, to.Name}
				if open++; !talks[pair] && pair != [2]string{"db-init", "postgres"} && pair != [2]string{"lk-jwt", "haproxy"} {
					t.Errorf("%s reaches port %s of %s, and nothing says that they talk", from.Name, port, to.Name)
				}
			}
		}
	}
	if open < 20 {
		t.Errorf("only %d ways are open", open)
	}
	needed, spare := 0, []string{}
	for _, file := range slices.Sorted(maps.Keys(tree)) {
		lines := strings.SplitAfter(string(tree[file].Data), "\n")
		in, until := false, ""
		for i, line := range lines {
			switch {
			case strings.TrimSpace(line) == "values:":
				in, until = true, line[:strings.IndexByte(line, 'v')]
				continue
			case in && !strings.HasPrefix(line, until+"  - "):
				in = false
			}
			if !in {
				continue
			}
			without := maps.Clone(tree)
			text := slices.Clone(lines)
			text[i] = strings.Replace(line, "- ", "- no-", 1)
			without[file] = &fstest.MapFile{Data: []byte(strings.Join(text, "")), Mode: 0o600}
			cut, _ := kubernetes.Open(without)
			if needed++; len(barred(cut)) == 0 {
				spare = append(spare, file+" "+strings.TrimSpace(line))
			}
		}
	}
	t.Logf("%d ways, %d names, of which nothing here proves the need of %d: %s", open, needed, len(spare), spare)
	// A container of one's own, and what one is told in a file or a variable that no rule reads.
	if needed < 20 || len(spare) > 0 {
		t.Errorf("of %d names %d are not needed: %s", needed, len(spare), spare)
	}
}
