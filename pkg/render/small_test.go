package render_test

import (
	"testing"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// What profile: small stands for reaches each program's file, and gives way to what the spec says itself.
func TestSmall(t *testing.T) {
	at := func(lines, file string, key ...string) string {
		t.Helper()
		for _, f := range bundleOf(t, lines).Files {
			if f.Path == file {
				parsed, problem := source.Parse(f.Path, f.Data)
				if problem != nil {
					t.Fatal(problem.Message)
				}
				return parsed.At(key...).Str()
			}
		}
		t.Fatalf("no %s", file)
		return ""
	}
	const homeserver, mas = "config/matrix/homeserver.yaml", "config/mas/config.yaml"
	for _, c := range []struct {
		lines, file, want string
		key               []string
	}{
		{"profile: small\n", homeserver, "false", []string{"presence", "enabled"}},
		{"", homeserver, "", []string{"presence", "enabled"}},
		{"profile: small\n", homeserver, "0.25", []string{"caches", "global_factor"}},
		{"profile: small\n", homeserver, "5", []string{"database", "args", "cp_max"}},
		{"profile: small\nsynapse: {extra: {presence: {enabled: true}, database: {args: {cp_max: 8}}}}\n", homeserver, "8", []string{"database", "args", "cp_max"}},
		{"profile: small\nsynapse: {extra: {presence: {enabled: true}}}\n", homeserver, "true", []string{"presence", "enabled"}},
		{"profile: small\n", mas, "5", []string{"database", "max_connections"}},
		{"", mas, "", []string{"database", "max_connections"}},
	} {
		if got := at(c.lines, c.file, c.key...); got != c.want {
			t.Errorf("%q: %v is %q, want %q", c.lines, c.key, got, c.want)
		}
	}
	small := bundleOf(t, "profile: small\n").Stack
	if small.Connections() != 10 || small.Postgres.Memory != "256M" || small.Services[string(component.Postgres)].Memory != "" {
		t.Errorf("%d connections, %s", small.Connections(), small.Postgres.Memory)
	}
	if given := bundleOf(t, "profile: small\ndatabase: {memory: 1G}\n").Stack; given.Postgres.Memory != "1G" {
		t.Errorf("database.memory: 1G gives %s", given.Postgres.Memory)
	}
}
