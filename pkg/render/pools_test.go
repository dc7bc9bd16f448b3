//go:build unix

package render_test

import (
	"strconv"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// bundleOf renders a spec with these lines besides what every one has.
func bundleOf(t *testing.T, lines string) *render.Bundle {
	t.Helper()
	sp, findings := spec.Parse("stack.yaml", []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\npermissions: {example.org: user}\n"+lines))
	if sp == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(sp))
	b, err := render.Render(sp, render.Resolve(sp, set, "/srv"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the pools open together, and what PostgreSQL is told of it.
func TestConnections(t *testing.T) {
	for lines, want := range map[string]struct {
		sum int
		max string
	}{
		"": {20, ""},
		"bridges: {signal: {}, discord: {}, telegram: {version: v0.15.3}}\n":                               {20 + 5 + 20 + 10, ""},
		"synapse: {extra: {database: {args: {cp_max: 120}}}}\n":                                            {130, "150"},
		"bridges: {signal: {extra: {database: {max_open_conns: 68}}}}\n":                                   {88, "110"},
		"bridges: {signal: {extra: {database: {max_open_conns: 67}}}}\n":                                   {87, ""},
		"synapse: {workers: {sync: 2, event_persister: 7}}\n":                                              {110, "130"},
		"services: {a: {image: example.org/a, version: \"1\", database: true}}\n":                          {30, ""},
		"synapse: {extra: {database: {args: {cp_max: 120}}}}\ndatabase: {extra: {max_connections: 300}}\n": {130, "300"},
	} {
		st := bundleOf(t, lines).Stack
		var got strings.Builder
		for _, s := range st.Postgres.Settings {
			got.WriteString(s.Name + "=" + s.Value)
		}
		if want.max != "" {
			want.max = "max_connections=" + want.max
		}
		if st.Connections() != want.sum || got.String() != want.max {
			t.Errorf("%q: %d connections and %q, want %d and %q", lines, st.Connections(), got.String(), want.sum, want.max)
		}
	}
}

// A real PostgreSQL keeps as many of its connections as the rules count for its superusers, and refuses whoever comes last.
func TestPostgresRefusesTheLast(t *testing.T) {
	s := startPostgres(t, "-c", "max_connections=7", "-c", "max_wal_senders=0")
	s.must(s.psql("postgres", "placeholder-superuser", "postgres", "-c", "CREATE ROLE somebody LOGIN PASSWORD 'placeholder-somebody'"))
	open := 0
	for range 7 {
		held := s.psql("somebody", "placeholder-somebody", "postgres", "-c", "SELECT 'here'", "-c", "SELECT pg_sleep(30)")
		out, err := held.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := held.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = held.Process.Kill(); _ = held.Wait() }()
		if n, _ := out.Read(make([]byte, 64)); n == 0 {
			break
		}
		open++
	}
	if want := 7 - component.ReservedConnections; open != want {
		t.Errorf("%d connections of 7, want %d", open, want)
	}
	if got := strings.TrimSpace(s.must(s.psql("postgres", "placeholder-superuser", "postgres", "-c", "SHOW superuser_reserved_connections"))); got != "3" {
		t.Errorf("superuser_reserved_connections is %s", got)
	}
}

// A real PostgreSQL starts with what follows from database.memory, and takes each value for what it is meant as.
func TestMemoryOnRealPostgres(t *testing.T) {
	for lines, want := range map[string]string{
		"database: {memory: 128M}\n": "32MB 96MB 2MB 16MB 100",
		"database: {memory: 8G}\n":   "2GB 6GB 20MB 512MB 100",
		"database: {memory: 1025M, extra: {work_mem: 9MB}}\nsynapse: {extra: {database: {args: {cp_max: 120}}}}\n": "256MB 768MB 9MB 64MB 150",
	} {
		st := bundleOf(t, lines).Stack
		var words []string
		for _, s := range st.Postgres.Settings {
			words = append(words, "-c", s.Name+"="+s.Value)
		}
		s := startPostgres(t, words...)
		var got []string
		for _, name := range []string{"shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem", "max_connections"} {
			got = append(got, strings.TrimSpace(s.must(s.psql("postgres", "placeholder-superuser", "postgres", "-c", "SHOW "+name))))
		}
		if now := strings.Join(got, " "); now != want {
			t.Errorf("%q: %s, want %s", lines, now, want)
		}
	}
}

// Of no size is more promised than there is: the cache, a sort for each connection and four that maintain.
func TestMemoryIsEnough(t *testing.T) {
	for memory := 256; memory < 1<<20; memory += 508 {
		sum := 0
		for _, s := range render.ForMemory(memory, component.MaxConnections) {
			n := megabytes(t, s.Value)
			sum += n * map[string]int{"shared_buffers": 1, "work_mem": component.MaxConnections, "maintenance_work_mem": 4}[s.Name]
		}
		if sum > memory && memory >= 1024 {
			t.Fatalf("of %dM are promised %d", memory, sum)
		}
	}
}

func megabytes(t *testing.T, size string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimRight(size, "MGB"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(size, "GB") {
		n *= 1024
	}
	return n
}
