package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
)

const faultsHead = `# What a fault looks like, and which rule names it

Each row is one edit by hand in the rendered example ` + "`phil-app`" + `, and what was then seen in the running stack:
in a program's log, in the answer to a request, or in Docker Compose's own words. MAS, Discord and Traefik are
stand-ins; what stands beside ` + "`mas`" + ` follows MAS's documentation. Made by ` + "`make e2e-update`" + `.

In a cluster: [kubernetes/FAULTS.md](kubernetes/FAULTS.md).

| kind | fault | file | made anew | seen at | what is seen | rule |
|---|---|---|---|---|---|---|
`

// Every fault shows itself as expected, and check names it by the rule that says so.
func (s *stack) testFaults(t *testing.T) {
	var table bytes.Buffer
	table.WriteString(faultsHead)
	broken, ran := "", 0
	for _, f := range faults {
		t.Run(f.what, func(t *testing.T) {
			if broken != f.start {
				for service := range strings.FieldsSeq(broken) {
					s.remake(t, service)
				}
			}
			broken = f.start
			s.testFault(t, f, &table)
			ran++
		})
	}
	s.compose(t, "up", "-d", "--no-build", "--pull", "never", "--force-recreate")
	s.settle(t)
	if t.Failed() || ran < len(faults) { // with -run
		return
	}
	if *update {
		if err := os.WriteFile("FAULTS.md", table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile("FAULTS.md"); err != nil || !bytes.Equal(have, table.Bytes()) {
		t.Errorf("FAULTS.md is stale (%v); run make e2e-update", err)
	}
}

// remake makes a service anew from the restored files and waits until others can rely on it.
func (s *stack) remake(t *testing.T, service string) {
	t.Helper()
	s.compose(t, "up", "-d", "--no-deps", "--no-build", "--pull", "never", "--force-recreate", service)
	ok := within(2*time.Minute, func() bool {
		c := s.containers(t)[service]
		return service == "db-init" || c.State.Status == "running" && (service != "synapse" || c.State.Health.Status == "healthy")
	})
	if !ok {
		t.Fatalf("%s does not come up again", service)
	}
}

func (s *stack) testFault(t *testing.T, f fault, table *bytes.Buffer) {
	start := time.Now()
	restore := s.inject(t, f)
	defer restore()
	named := s.ruleNames(t)
	services := strings.Fields(f.start)
	for _, service := range services[:len(services)-1] {
		s.remake(t, service)
	}
	args := []string{"up", "-d", "--no-build", "--pull", "never", "--force-recreate", services[len(services)-1]}
	if f.at != "compose" { // which looks at the services that this one depends on
		args = append(args, "--no-deps")
	}
	said, err := s.try(args...)
	if err != nil {
		said += err.Error()
	}
	shows := regexp.MustCompile(f.shows)
	var seen string
	ok := within(90*time.Second, func() bool {
		if f.at != "compose" {
			said = s.symptom(t, f)
		}
		seen = shows.FindString(said)
		return seen != ""
	})
	if !ok {
		t.Errorf("%s does not show %q:\n%s", f.at, f.shows, tail(s.mask(said), 30))
	}
	if !slices.Contains(named, f.rule) {
		t.Errorf("check names %v, not %s", named, f.rule)
	}
	t.Logf("%.0f s: %s; check names %s", time.Since(start).Seconds(), s.mask(seen), strings.Join(named, ", "))
	cell := strings.NewReplacer("`", "'", "|", `\|`).Replace(strings.TrimSpace(s.mask(seen)))
	fmt.Fprintf(table, "| %s | %s | `%s` | `%s` | `%s` | `%s` | `%s` |\n", f.kind, f.what, f.file, f.start, f.at, cell, f.rule)
}

// symptom is what can be read where the fault shows itself.
func (s *stack) symptom(t *testing.T, f fault) string {
	t.Helper()
	method, url, ok := strings.Cut(f.at, " ")
	if !ok {
		return s.logs(t, f.at)
	}
	got, err := s.tryAsk(t, method, url, "no-token-of-anybody", nil)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("HTTP %d %s", got.status, got.text)
}

// inject puts the fault into its file, which keeps owner and mode unless they are the fault, and gives what
// takes it out again.
func (s *stack) inject(t *testing.T, f fault) (restore func()) {
	t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(f.file))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	src := s.read(t, f.file)
	stat, _ := info.Sys().(*syscall.Stat_t)
	uid, gid := int(stat.Uid), int(stat.Gid)
	restore = func() {
		if err := os.WriteFile(path, src, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	switch {
	case f.old != "":
		now := strings.ReplaceAll(f.now, "{whatsapp}", s.registration(t, "whatsapp").ASToken)
		text := regexp.MustCompile(f.old).ReplaceAllString(string(src), now)
		if text == string(src) {
			t.Fatalf("%s has nothing like %s", f.file, f.old)
		}
		err = os.WriteFile(path, []byte(text), 0o600)
	case f.gone:
		err = os.Remove(path)
	case f.rooted:
		err = os.Chown(path, 0, 0)
	}
	if err != nil {
		restore()
		t.Fatal(err)
	}
	return restore
}

// ruleNames are the rules that find something wrong in the tree as it is.
func (s *stack) ruleNames(t *testing.T) []string {
	t.Helper()
	d, findings := compose.Open(os.DirFS(s.dir))
	if d.File != "" {
		findings, _ = check.Run(d, composego.Judge)
	}
	var ids []string
	for _, f := range findings {
		if f.Severity != finding.Info {
			ids = append(ids, f.Rule)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
