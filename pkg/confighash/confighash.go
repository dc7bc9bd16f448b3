// Package confighash defines the label that makes Compose recreate a container when a file changes that it
// reads at its start: Compose compares labels, not the content of what it mounts.
package confighash

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Label is the key of the label in the compose file.
const Label = "stackgen.config-hash"

// Of gives the digest of the files that a service reads at its start, which are those at the paths, or below them.
// Files for which counts is false are left out; a nil counts takes all. What does not exist counts for nothing.
func Of(fsys fs.FS, paths []string, counts func(string) bool) (string, error) {
	var files []string
	for _, top := range paths {
		err := fs.WalkDir(fsys, top, func(name string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() && (name == top || !unread(name)) && (counts == nil || counts(name)) {
				files = append(files, name)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	slices.Sort(files)
	h := sha256.New()
	for _, name := range slices.Compact(files) {
		data, err := source.ReadFS(fsys, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s\x00%d\x00", name, len(data))
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// unread is a bridge's own copy of its registration: it lies beside the configuration in a directory that is mounted, and a
// bridge that runs never reads it. Another appservice that reads one has the file mounted by itself.
func unread(name string) bool { return path.Base(name) == "registration.yaml" }

// Reads lists the paths that are mounted read-only into the service, and its secrets and configs. What it may
// write to is data that changes while it runs.
func Reads(compose *source.File, service string) []string {
	var paths []string
	add := func(host string) {
		if host = path.Clean(host); fs.ValidPath(host) && !slices.Contains(paths, host) {
			paths = append(paths, host)
		}
	}
	v := compose.At("services", service)
	for _, m := range v.At("volumes").Items() {
		host, options, _ := strings.Cut(m.Str(), ":")
		_, options, _ = strings.Cut(options, ":")
		readOnly := slices.Contains(strings.Split(options, ","), "ro")
		if m.Kind() == source.Mapping {
			host, readOnly = m.At("source").Str(), m.At("read_only").True() && m.At("type").Str() == "bind"
		}
		if readOnly && strings.HasPrefix(host, "./") {
			add(host)
		}
	}
	for _, kind := range []string{"secrets", "configs"} {
		for _, item := range v.At(kind).Items() {
			name := item.Str()
			if item.Kind() == source.Mapping {
				name = item.At("source").Str()
			}
			if file := compose.At(kind, name, "file").Str(); file != "" {
				add(file)
			}
		}
	}
	return paths
}
