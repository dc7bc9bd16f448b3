package component

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// conformance/parts.txt has what it is made of under these names.
var inParts = map[string][]Program{
	"LiveKit": {LiveKit}, "coturn": {Coturn}, "HAProxy": {HAProxy},
	"Synapse": {Synapse}, "Traefik": {Traefik}, "Keycloak": {Keycloak}, "borgmatic": {Borgmatic}, "Docker Compose": {DockerCompose}, mautrixGo: nil,
}

// noComponent are the other programs there: what tests and CI use.
var noComponent = []string{"Caddy", "Kubernetes", "Linux", "PostgreSQL", "Prometheus", "PyYAML", "ShellCheck", "actionlint", "age", "bash", "compose-go", "each program's own reading", "go", "heisenbridge", "kubernetes-validate", "nginx", "pre-commit", "sops"}

// inE2E is where e2e has the versions that do not follow from the images.
var inE2E = []struct {
	of           Program
	part         string
	file, before string
}{
	{Postgres, "", "images/Dockerfile", "postgresql-"},
	{WhatsApp, "", "bridges/go.mod", "go.mau.fi/mautrix-whatsapp "},
	{LinkedIn, "", "bridges/go.mod", "go.mau.fi/mautrix-linkedin "},
	{Telegram, "", "images/Dockerfile", "mautrix-telegram[e2be]=="},
	{Signal, mautrixGo, "go.mod", "maunium.net/go/mautrix "},
	{Meta, mautrixGo, "go.mod", "maunium.net/go/mautrix "},
	{Telegram, mautrixGo, "go.mod", "maunium.net/go/mautrix "},
	{Borgmatic, "", "requirements.txt", "borgmatic=="},
	{DockerCompose, "", "compose/go.mod", "github.com/docker/compose/v5 "},
}

func bare(version string) string { return strings.TrimPrefix(version, "v") }

func tried(p Program, part, version, by string) bool {
	return slices.ContainsFunc(TrialsOf(p), func(t Trial) bool { return t.Part == part && bare(t.Version) == bare(version) && t.By == by })
}

var partsLine = regexp.MustCompile(`^(.*?)(?: (v?[0-9][0-9.]*))?: (.*)$`)

// What make conformance ran is what the table says, version for version.
func TestTrialsInConformance(t *testing.T) {
	src, err := os.ReadFile("../../conformance/parts.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool) // program, part, version
	for line := range strings.Lines(string(src)) {
		m := partsLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			t.Fatalf("parts.txt: %s", line)
		}
		of, known := inParts[m[1]]
		if known == slices.Contains(noComponent, m[1]) {
			t.Errorf("parts.txt: %s is in both lists of this test, or in none", m[1])
		}
		part := ""
		switch {
		case m[1] == mautrixGo && strings.Contains(m[3], "/config/"):
			of, part = []Program{Program(filepath.Base(m[3]))}, mautrixGo
		case m[1] == "Traefik":
			part = "its router"
		case strings.HasPrefix(m[3], "the keys of "):
			continue // its code was read
		}
		for _, p := range of {
			if seen[string(p)+part+bare(m[2])] = true; !tried(p, part, m[2], Conformance) {
				t.Errorf("conformance tried %s %s %s, and the table of trials does not have it", p, part, m[2])
			}
		}
	}
	for _, trial := range Trials {
		for _, p := range trial.Of {
			if trial.By == Conformance && !seen[string(p)+trial.Part+bare(trial.Version)] {
				t.Errorf("the table has %s %s %s, and parts.txt does not", p, trial.Part, trial.Version)
			}
		}
	}
}

// The same for make e2e: Synapse runs in the tested and in the oldest version, the others in the pinned ones.
func TestTrialsInE2E(t *testing.T) {
	synapse := Of(Synapse)
	pinned := map[string]bool{}
	pin := func(p Program, part, version string) {
		if pinned[string(p)+part+bare(version)] = true; !tried(p, part, version, E2E) {
			t.Errorf("e2e runs %s %s %s, and the table of trials does not have it", p, part, version)
		}
	}
	pin(Synapse, "", synapse.Tested.Tag)
	pin(Synapse, "", synapse.Oldest.String())
	for _, at := range inE2E {
		src, err := os.ReadFile(filepath.Join("../../e2e", at.file))
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(regexp.QuoteMeta(at.before) + `(v?[0-9][0-9.]*)`).FindSubmatch(src)
		if m == nil {
			t.Fatalf("e2e/%s has no version after %q", at.file, at.before)
		}
		pin(at.of, at.part, string(m[1]))
	}
	for _, trial := range Trials {
		for _, p := range trial.Of {
			if trial.By == E2E && !pinned[string(p)+trial.Part+bare(trial.Version)] {
				t.Errorf("the table has %s %s %s, and e2e does not", p, trial.Part, trial.Version)
			}
		}
	}
}

func TestTrials(t *testing.T) {
	for _, trial := range Trials {
		if _, err := time.Parse(time.DateOnly, trial.Since); err != nil || trial.Did == "" || trial.Version == "" || !slices.Contains([]string{E2E, Conformance, Hand}, trial.By) {
			t.Errorf("%+v: %v", trial, err)
		}
		for _, p := range trial.Of {
			if Of(p).Program != p && p != DockerCompose {
				t.Errorf("%s is no program", p)
			}
		}
	}
	for p, want := range map[Program]bool{Synapse: true, MAS: false, Postgres: false, Signal: false, Discord: false} {
		if got := Of(p).Ran(); got != want {
			t.Errorf("%s ran: %v", p, got)
		}
	}
}
