package manifest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"philipp.info/stackgen/pkg/source"
)

// ImportedPath is where, beside a spec, the record of the files lies that it was taken over from.
const ImportedPath = Dir + "/imported.json"

// Imported says which files a spec was taken over from, by digests that nobody can guess at who has not the key: a
// secret of the stack itself, which is not in it. Half of those files hold passwords.
type Imported struct {
	// Version is that of the format: 1.
	Version int `json:"version"`
	// From is the directory, as it was named.
	From string `json:"from"`
	// Compose are the files that were named with -f, in their order.
	Compose []string `json:"compose,omitempty"`
	// Key is the digest of nothing, by which the key is known to be the same.
	Key string `json:"key"`
	// Files is the digest of each, by its path below the directory.
	Files map[string]string `json:"files"`
}

// NewImported makes the record of files as they are.
func NewImported(from string, files map[string][]byte, key []byte) *Imported {
	m := &Imported{Version: 1, From: from, Key: keyed(key, "", nil), Files: make(map[string]string, len(files))}
	for name, data := range files {
		m.Files[name] = keyed(key, name, data)
	}
	return m
}

// keyed is the digest of a file under a key. The name is in it: two files with one content have two.
func keyed(key []byte, name string, data []byte) string {
	own := hmac.New(sha256.New, key)
	own.Write([]byte("stackgen imported files"))
	h := hmac.New(sha256.New, own.Sum(nil))
	fmt.Fprintf(h, "%d %s\n", len(name), name)
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// ReadImported reads the record below a directory; nil and fs.ErrNotExist where there is none.
func ReadImported(dir fs.FS) (*Imported, error) {
	src, err := source.ReadFS(dir, ImportedPath)
	if errors.Is(err, source.ErrIgnored) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	m := new(Imported)
	if err := json.Unmarshal(src, m); err != nil {
		return nil, fmt.Errorf("%s %w: %w", ImportedPath, ErrDamaged, err)
	}
	return m, nil
}

// Bytes is the record as it is written.
func (m *Imported) Bytes() []byte {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return append(data, '\n')
}

// Since are the files that are others than they were, each list in its order. ok is false where the key is another one:
// then it cannot be told.
func (m *Imported) Since(files map[string][]byte, key []byte) (changed, added, gone []string, ok bool) {
	if !hmac.Equal([]byte(m.Key), []byte(keyed(key, "", nil))) {
		return nil, nil, nil, false
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		switch was, had := m.Files[name]; {
		case !had:
			added = append(added, name)
		case was != keyed(key, name, files[name]):
			changed = append(changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if _, is := files[name]; !is {
			gone = append(gone, name)
		}
	}
	return changed, added, gone, true
}
