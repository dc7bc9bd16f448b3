package render

import (
	"testing"

	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/spec"
)

// FuzzRecover: whatever lies in a directory, what is read back from it is a value of the right form, and all else is told.
func FuzzRecover(f *testing.F) {
	s, findings := spec.Parse("stack.yaml", []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\nbridges: {signal: {}}\npermissions: {example.org: user}\nsynapse: {extra: {x: [{secret: own.name}]}}\n"))
	if s == nil {
		f.Fatal(findings)
	}
	for _, seed := range [][3]string{
		{"", "", ""},
		{"x: [a]\nold_signing_keys: {\"ed25519:a\": {key: AAAA, expired_ts: 1}}\n", "secrets: {encryption: x}\n", "as_token: x\n"},
		{"[", "- {}\n", "a: &a [*a]\n"},
		{"database: {args: {password: fake}}\nx: {0: b}\n", "database: {uri: \"postgres://signal:a%2Fb@h/x\"}\n", "id: signal\nas_token: [x]\n"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), []byte(seed[2]))
	}
	f.Fuzz(func(t *testing.T, homeserver, bridge, registration []byte) {
		values, missing, err := Recover(s, memfs.New([]memfs.File{
			{Path: "config/matrix/homeserver.yaml", Data: append([]byte{}, homeserver...)},
			{Path: "config/signal/config.yaml", Data: append([]byte{}, bridge...)},
			{Path: "config/signal/registration.yaml", Data: append([]byte{}, registration...)},
			{Path: "secrets/mas_matrix_secret", Data: append([]byte{}, registration...)},
			{Path: "secrets/mas_encryption", Data: append([]byte{}, bridge...)},
		}), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range Needs(s) {
			value, got := values[n.Name]
			if got && (missing[n.Name] != nil || n.Check(value) != nil) {
				t.Errorf("%s was read as what it cannot be", n.Name)
			}
		}
	})
}
