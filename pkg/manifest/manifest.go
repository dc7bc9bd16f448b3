// Package manifest is what stackgen remembers in an output directory: which files are its own, and which values the
// stack has to keep. Everybody who reads or writes that does it here.
package manifest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Dir holds stackgen's own records, below the output directory. No service mounts it.
const Dir = ".stackgen"

// Path is where the manifest lies below the output directory.
const Path = Dir + "/manifest.json"

// Manifest says which files of an output directory are ours, by the digest of what we wrote, and which values the
// stack has to keep. It is for finding hand edits, and written before and after the files: a run that dies between
// the two leaves both the old and the new digest, so the next run knows every file it meets.
type Manifest struct {
	// Version is that of the format: 1.
	Version int `json:"version"`
	// Accepted is the verdict of compose-go on the docker-compose.yml that was written, as check gives it; "" for none.
	Accepted string `json:"accepted,omitempty"`
	// Files is by path below the output directory; nil in a manifest that lists none.
	Files map[string]Entry `json:"files"`
	// Fixed is by name, as check.Values gives it. What belongs to a part that is off stays, as its database does.
	Fixed map[string]string `json:"fixed,omitempty"`
}

// Entry holds the digests of one file.
type Entry struct {
	// SHA256 is that of what was written; "" while the first write is under way.
	SHA256 string `json:"sha256,omitempty"`
	// Pending is that of what is being written; "" once that is done.
	Pending string `json:"pending,omitempty"`
	// Found: it is a copy of what its owner has at this very path. It was there before the first render, and is never removed.
	Found bool `json:"found,omitempty"`
}

// New is the manifest of a directory that holds nothing of ours.
func New() *Manifest { return &Manifest{Version: 1, Files: make(map[string]Entry)} }

// ErrDamaged means that there is a manifest, and that it holds something else.
var ErrDamaged = errors.New("is damaged")

// Read reads the manifest of an output directory. One that is not there is New; so is that of an error, which is
// ErrDamaged or what kept the file from being read.
func Read(dir fs.FS) (*Manifest, error) {
	src, err := source.ReadFS(dir, Path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, source.ErrIgnored) {
		return New(), nil
	}
	if err != nil {
		return New(), err
	}
	m := new(Manifest)
	if err := json.Unmarshal(src, m); err != nil {
		return New(), fmt.Errorf("%s %w: %w", Path, ErrDamaged, err)
	}
	return m, nil
}

// Bytes is the manifest as it is written.
func (m *Manifest) Bytes() []byte {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return append(data, '\n')
}

// Ours reports whether the file holds what stackgen wrote there, or was about to write when it was killed.
func (m *Manifest) Ours(name string, data []byte) bool {
	e, sum := m.Files[name], Digest(data)
	return sum == e.SHA256 || sum == e.Pending
}

// Digest is the SHA-256 of a file's content in hexadecimal, as Entry has it.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Stage makes a name, beside that of a file, under which the file is written before it is renamed into its place.
func Stage(name string) string {
	return path.Join(path.Dir(name), ".stackgen-"+rand.Text()+".tmp")
}

// Staged tells the names that Stage makes: what has one was left by a run that was killed.
func Staged(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, ".stackgen-") && strings.HasSuffix(base, ".tmp")
}
