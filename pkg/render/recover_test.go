package render

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// TestRecover: every secret of every example is read back from the rendered files, whether it was made or
// given, and in whatever characters.
func TestRecover(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	bare := filepath.Join(t.TempDir(), "bare", "stack.yaml")
	if err := errors.Join(os.Mkdir(filepath.Dir(bare), 0o700), os.WriteFile(bare, []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\n"+
		"synapse: {extra: {recaptcha_private_key: {secret: synapse.recaptcha}}}\ncompose: {extra: {x-a: [{secret: own.name}]}}\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, bare, "testdata/specs/kubernetes/stack.yaml") {
		s, findings, err := spec.Load(path)
		if err != nil || s == nil {
			t.Fatal(findings, err)
		}
		for name, given := range map[string]string{"made": "", "given": `FAKE: "it's $x $$y" {{.}} \ %s # @/?`} {
			t.Run(filepath.Base(filepath.Dir(path))+"/"+name, func(t *testing.T) {
				needs := Needs(s)
				set, _ := secret.Load(t.Context(), secret.Sources{}, needs)
				for _, n := range needs {
					value := map[bool]string{true: given + n.Name, false: n.Example}[n.Example == "" && given != ""]
					if given != "" && n.Check(given+n.Name) == nil && n.Kind != component.Localpart {
						value = given + n.Name
					}
					if n.Kind == component.OldKeys {
						value = "ed25519:a_one " + strings.Repeat("A", 43) + " 1700000000000\ned25519:a_two " + strings.Repeat("B", 42) + "A 0"
					}
					if value != "" && n.Check(value) == nil && (n.Kind == component.External || n.Kind == component.OldKeys || given != "" && n.Kind == component.Token) {
						if err := set.Set(n.Name, value); err != nil {
							t.Fatal(err)
						}
					}
				}
				set.Fill()
				st := Resolve(s, set, "/srv/matrix")
				for to, v := range s.Copied() {
					data, err := os.ReadFile(filepath.Join(filepath.Dir(path), v.Str()))
					if err != nil {
						t.Fatal(err)
					}
					st.Files = append(st.Files, Copy{Path: to, Data: data, At: v})
				}
				b, err := Render(s, st, set.Get)
				if err != nil {
					t.Fatal(err)
				}
				got, missing, err := Recover(s, b.FS(), st.Files)
				if err != nil || len(missing) > 0 {
					t.Fatal(missing, err)
				}
				want := make(map[string]string)
				for _, n := range needs {
					want[n.Name] = set.Get(n.Name)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// TestRecoverRefuses: of a file that was edited by hand no value is taken that another one contradicts, and
// in a list that had other items then it is the right item that counts.
func TestRecoverRefuses(t *testing.T) {
	load := func(text string) *spec.Spec {
		s, findings := spec.Parse("stack.yaml", []byte("version: 1\nserver_name: example.org\npermissions: {example.org: user}\nbridges: {signal: {}}\n"+text))
		if s == nil {
			t.Fatal(findings)
		}
		return s
	}
	upstreams := "auth: {upstream: {%s: {issuer: \"https://a.example.org/\", client_id: a}, m: {issuer: \"https://m.example.org/\", client_id: m}}}\n"
	was, now := load(strings.ReplaceAll(upstreams, "%s", "a")), load(strings.ReplaceAll(upstreams, "%s", "z"))
	set, _ := secret.Load(t.Context(), secret.Sources{}, Needs(was))
	for _, n := range Needs(was) {
		if n.Kind == component.External {
			if err := set.Set(n.Name, "FAKE-of-"+n.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	set.Fill()
	b, err := Render(was, Resolve(was, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range b.Files {
		if f.Path == "config/signal/registration.yaml" {
			b.Files[i].Data = []byte(strings.ReplaceAll(string(f.Data), set.Get("bridges.signal.as_token"), "FAKE-by-hand"))
		}
	}
	got, missing, err := Recover(now, b.FS(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got["bridges.signal.as_token"] != "" || missing["bridges.signal.as_token"] == nil {
		t.Error("a value was taken that another file contradicts")
	}
	if got["auth.upstream.m.id"] != set.Get("auth.upstream.m.id") {
		t.Error("the id of another provider was taken")
	}
	if missing["auth.upstream.z.client_secret"] == nil {
		t.Error("a secret was found that the tree never had")
	}
}
