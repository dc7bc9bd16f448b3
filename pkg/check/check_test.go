package check_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
)

func readTree(t testing.TB, name string) (tree fstest.MapFS, want []string) {
	t.Helper()
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	tree = filesOf(ar)
	if f := tree["want"]; f != nil {
		want = slices.Sorted(strings.Lines(strings.TrimRight(string(f.Data), "\n") + "\n"))
		delete(tree, "want")
	}
	return tree, want
}

func filesOf(ar *txtar.Archive) fstest.MapFS {
	tree := fstest.MapFS{}
	for _, f := range ar.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
	}
	return tree
}

// run checks a tree and holds what is true of all findings: a known rule, no panic, no secret.
func run(t testing.TB, tree fstest.MapFS) []finding.Finding {
	t.Helper()
	d, findings := opened(tree)
	found, _ := check.Run(d, composego.Judge)
	findings = append(findings, found...)
	sound(t, findings)
	return findings
}

// sound holds what is true of all findings.
func sound(t testing.TB, findings []finding.Finding) {
	t.Helper()
	for _, f := range findings {
		if _, ok := check.Find(f.Rule); !ok && f.Rule != "yaml" {
			t.Errorf("there is no rule %s", f.Rule)
		}
		if strings.Contains(f.Message, "of a fault in stackgen") {
			t.Errorf("%s panics: %s", f.Rule, f.Message)
		}
		if f.Severity == finding.Info != (f.Status == finding.NotChecked) {
			t.Errorf("%s: %s is an %s", f.Rule, f.Message, f.Severity)
		}
		texts := []string{f.Message, f.Fix}
		for _, s := range f.Sites {
			texts = append(texts, s.Note, s.Text())
		}
		text := strings.Join(texts, "\n")
		if strings.Contains(text, planted) || strings.Contains(text, plantedHex) || strings.Contains(text, placeholder) {
			t.Errorf("%s shows a secret: %s", f.Rule, text)
		}
	}
}

func lines(findings []finding.Finding) []string {
	var got []string
	for _, f := range findings {
		at := f.Pos().File
		if f.Pos().Line > 0 {
			at = fmt.Sprintf("%s:%d", at, f.Pos().Line)
		}
		got = append(got, f.Rule+" "+at+"\n")
	}
	slices.Sort(got)
	return got
}

func TestTrees(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			tree, want := readTree(t, file)
			if len(want) == 1 && want[0] == "\n" {
				want = nil
			}
			findings := run(t, tree)
			if diff := cmp.Diff(want, lines(findings)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
				for _, f := range findings {
					t.Logf("%s %s %s: %s [%s]", f.Severity, f.Rule, f.Pos(), f.Message, f.Fix)
				}
			}
		})
	}
}

// TestSecretsStayHidden damages every secret of a file in turn; run holds that none is shown.
func TestSecretsStayHidden(t *testing.T) {
	for _, file := range []string{"hand-kept", "plain-synapse"} {
		tree, _ := readTree(t, "testdata/"+file+".txtar")
		for name, f := range tree {
			if !strings.Contains(string(f.Data), planted) {
				continue
			}
			for _, damage := range []string{"${" + planted, "$" + planted, planted + ": " + planted, "*" + planted, "{" + planted + ": [1]}", "'" + planted, planted + "/#%zz@"} {
				broken := maps.Clone(tree)
				broken[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(f.Data), planted, damage)), Mode: 0o644}
				run(t, broken)
			}
		}
	}
}

// TestOddFiles has files that are not what a path promises.
func TestOddFiles(t *testing.T) {
	tree, good := readTree(t, "testdata/hand-kept.txtar")
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, tree); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, filepath.FromSlash(name))
			for odd, put := range map[string]func() error{
				"binary":       func() error { return os.WriteFile(file, []byte("\x00\x01\xff"), 0o600) },
				"a directory":  func() error { return os.Mkdir(file, 0o700) },
				"a loop":       func() error { return os.Symlink(filepath.Base(file), file) },
				"a dead link":  func() error { return os.Symlink("nowhere", file) },
				"empty":        func() error { return os.WriteFile(file, nil, 0o600) },
				"not a record": func() error { return os.WriteFile(file, []byte("- zebra\n- 1\n"), 0o600) },
			} {
				if err := os.RemoveAll(file); err != nil {
					t.Fatal(err)
				}
				if err := put(); err != nil {
					t.Fatal(err)
				}
				d, findings := compose.Open(os.DirFS(dir))
				found, _ := check.Run(d, composego.Judge)
				findings = append(findings, found...)
				if slices.Equal(lines(findings), good) && name != "signal/registration.yaml" && name != ".env" {
					t.Errorf("%s: nothing is said", odd)
				}
				for _, f := range findings {
					if strings.Contains(f.Message, "of a fault in stackgen") || strings.Contains(f.Message+f.Fix, planted) {
						t.Errorf("%s: %s: %s", odd, f.Rule, f.Message)
					}
				}
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	tree, _ := readTree(f, "testdata/hand-kept.txtar")
	files := []string{"docker-compose.yml", "synapse/homeserver.yaml", "mas/mas.yaml", "signal/config.yaml", "synapse/appservices/signal.yaml"}
	for i, name := range files {
		f.Add(uint8(i), tree[name].Data)
		f.Add(uint8(i), []byte("a: &a\n  <<: *a\n"))
	}
	for _, s := range []string{"", "services: []", "services: {synapse: }", "services: {a: {image: [x], volumes: ['', ':', 1, {}], networks: {a: [b]}, labels: [=, a], environment: ['=']}}"} {
		f.Add(uint8(0), []byte(s))
	}
	f.Add(uint8(1), []byte("server_name: [x]\nlisteners: [{port: x, bind_addresses: x, resources: [1]}, 2]\napp_service_config_files: ['', /, ../../x, {}]\nmatrix_authentication_service: {enabled: true, endpoint: '://'}\n"))
	f.Add(uint8(2), []byte("http: {public_base: '%zz', listeners: [{binds: [{address: x}, {address: ':'}], resources: x}]}\ndatabase: {uri: 'postgres://%zz@/'}\n"))
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		broken := maps.Clone(tree)
		broken[files[int(which)%len(files)]] = &fstest.MapFile{Data: data, Mode: 0o644}
		d, findings := compose.Open(broken)
		found, _ := check.Run(d, composego.Judge)
		for _, f := range append(findings, found...) {
			if strings.Contains(f.Message, "of a fault in stackgen") {
				t.Errorf("%s: %s", f.Rule, f.Message)
			}
		}
	})
}

// FuzzTree has whole directories of any content: however odd, every rule copes, and every finding is of a
// rule that exists and has a text and a place.
func FuzzTree(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		tree := fstest.MapFS{}
		for part := range strings.SplitSeq("\n"+string(src), "\n-- ") { // txtar.Parse panics on some
			if name, data, ok := strings.Cut(part, " --\n"); ok && fs.ValidPath(name) && name != "." {
				tree[name] = &fstest.MapFile{Data: []byte(data), Mode: 0o644}
			}
		}
		d, findings := compose.Open(tree)
		found, _ := check.Run(d, composego.Judge)
		for _, f := range append(findings, found...) {
			_, known := check.Find(f.Rule)
			if !known && f.Rule != "yaml" || f.Message == "" || len(f.Sites) == 0 || f.Pos().File == "" || strings.Contains(f.Message, "of a fault in stackgen") {
				t.Errorf("%s: %s: %s", f.Rule, f.Pos(), f.Message)
			}
		}
	})
}

// What only the shell that starts the stack knows is no wrong value.
func TestSettingOfTheShell(t *testing.T) {
	tree, _ := readTree(t, "testdata/hand-kept.txtar")
	const image = "    image: postgres:16-alpine\n"
	compose := string(tree["docker-compose.yml"].Data)
	if !strings.Contains(compose, image) {
		t.Fatal("the tree has another PostgreSQL")
	}
	tree["docker-compose.yml"].Data = []byte(strings.Replace(compose, image, image+"    command: [postgres, -c, \"max_connections=${PG_CONNECTIONS}\", -c, \"fsync=${PG_FSYNC}\"]\n", 1))
	for _, f := range run(t, tree) {
		if f.Rule == "postgres-settings" {
			t.Errorf("found: %s", f.Message)
		}
	}
}
