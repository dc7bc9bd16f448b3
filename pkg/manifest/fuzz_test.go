package manifest

import (
	"testing"

	"philipp.info/stackgen/pkg/memfs"
)

// FuzzRead: a manifest that is read is one that can be written and read again, with the same content.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"version":1,"files":{}}`, `{"files":null}`, `{"files":{"a":{"sha256":"x","pending":"y"}},"fixed":{"server_name":"example.org"},"accepted":"z"}`, `[]`, `null`, ``, `{"version":1e400}`,
		`{"files":{"../x":{}},"fixed":{"":""}}`, "{\"files\":{\"\xff\":{}}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(memfs.New([]memfs.File{{Path: Path, Data: append([]byte{}, data...)}}))
		if m == nil {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		again, err := Read(memfs.New([]memfs.File{{Path: Path, Data: m.Bytes()}}))
		if err != nil || string(again.Bytes()) != string(m.Bytes()) {
			t.Errorf("%v: %s became %s", err, m.Bytes(), again.Bytes())
		}
		for name := range m.Files {
			m.Ours(name, data)
		}
	})
}
