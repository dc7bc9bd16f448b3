package spec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"philipp.info/stackgen/pkg/finding"
)

func examples(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatalf("examples: %v %v", paths, err)
	}
	return paths
}

func TestExamples(t *testing.T) {
	for _, path := range examples(t) {
		s, findings, err := Load(path)
		if err != nil || s == nil || len(findings) > 0 {
			t.Errorf("%s: %v %v", path, findings, err)
		}
	}
}

func TestLoadUnreadable(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]error{filepath.Join(dir, "gone.yaml"): fs.ErrNotExist, dir: nil} {
		s, findings, err := Load(path)
		if s != nil || findings != nil || err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v %v %v", path, s, findings, err)
		}
	}
	// Of a file of any size no more than the limit is read.
	path := filepath.Join(dir, "huge.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Skip(err)
	}
	if s, findings, err := Load(path); s != nil || err != nil || len(findings) != 1 || !strings.Contains(findings[0].Message, "larger than 1 MiB") {
		t.Errorf("%v %v %v", s, findings, err)
	}
}

// An editor's byte order mark and line ends change nothing.
func TestBOMAndCRLF(t *testing.T) {
	for _, path := range examples(t) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := Parse(path, src)
		crlf := strings.ReplaceAll(string(src), "\n", "\r\n")
		for name, variant := range map[string]string{"BOM": "\ufeff" + string(src), "CRLF": crlf, "both": "\ufeff" + crlf} {
			got, findings := Parse(path, []byte(variant))
			if len(findings) > 0 || got == nil {
				t.Errorf("%s with %s: %v", path, name, findings)
				continue
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Spec{})); diff != "" {
				t.Errorf("%s with %s:\n%s", path, name, diff)
			}
			if p, q := want.At("bridges").Site("").Pos, got.At("bridges").Site("").Pos; p != q {
				t.Errorf("%s with %s: bridges at %v, not %v", path, name, q, p)
			}
		}
	}
}

// What looks unusual but works is not refused.
func TestAccepted(t *testing.T) {
	head := "version: 1\nserver_name: example.org\n"
	for name, src := range map[string]string{
		"MAS on its own host":             head + "auth: {passwords: true, public_url: 'https://account.example.org'}",
		"MAS below a path of the apex":    head + "auth: {passwords: true, public_url: 'https://example.org/account/'}",
		"MAS below a path, no slash":      head + "auth: {passwords: true, public_url: 'https://matrix.example.org/auth'}",
		"issuer of a host":                head + "auth: {upstream: {sso: {client_id: a, issuer: 'https://tenant.example.com/'}}}",
		"punycode":                        "version: 1\nserver_name: xn--bcher-kva.example\nauth: {passwords: true}",
		"apex off, served elsewhere":      base + "\ningress: {apex: {matrix: false, well_known: external}}",
		"apex off, server name is matrix": base + "\nhosts: {matrix: example.org}\ningress: {apex: {matrix: false}}",
		"bridge with nothing":             base + "\npermissions: {example.org: user}\nbridges: {signal: }",
		"permissions of the bridge":       base + "\nbridges: {signal: {permissions: {example.org: user}}}",
		"all relay, one admin":            base + "\npermissions: {'*': relay, '@a:example.org': admin}",
		"plain off":                       base + "\npermissions: {example.org: user}\nbridges: {signal: {encryption: off}}",
		"calendar tag":                    base + "\npermissions: {example.org: user}\nbridges: {telegram: {version: v26.08.1}}",
		"Python Telegram":                 base + "\npermissions: {example.org: user}\nbridges: {telegram: {version: v0.15.3}}",
		"swapped ports":                   base + "\npermissions: {example.org: user}\nbridges: {signal: {port: 29318}, whatsapp: {port: 29328}}",
		"mirror with a port":              base + "\ndatabase: {image: 'reg.example.org:5000/library/postgres', version: 17-alpine}",
		"number as version":               base + "\ndatabase: {version: 17}",
		"alias":                           base + "\npermissions: &p {example.org: user}\nbridges: {signal: {permissions: *p}}",
	} {
		if s, findings := Parse("stack.yaml", []byte(src)); s == nil || len(findings) > 0 {
			t.Errorf("%s: %v", name, findings)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, path := range examples(f) {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, findings := Parse("stack.yaml", src)
		if (s == nil) != finding.HasErrors(findings) {
			t.Errorf("spec %v with findings %v", s, findings)
		}
		for _, f := range findings {
			if f.Message == "" || f.Fix == "" || f.Pos().File != "stack.yaml" {
				t.Errorf("%+v", f)
			}
		}
	})
}
