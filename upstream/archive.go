package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// maxUnpacked is what an archive may unfold to.
const maxUnpacked = 512 << 20

// sameHash holds an archive against the SHA-256 that the index has; an index without one is believed.
func sameHash(src []byte, want string) error {
	sum := sha256.Sum256(src)
	if want != "" && !strings.EqualFold(hex.EncodeToString(sum[:]), want) {
		return errors.New("is not what the index says it is: its SHA-256 differs")
	}
	return nil
}

func matches(name string, patterns []string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, name); err == nil && ok {
			return true
		}
	}
	return false
}

// untar gives the files of a .tar.gz that match, by their paths below its one directory.
func untar(name string, src []byte, patterns []string) (map[string][]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(src))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	files := make(map[string][]byte)
	for r := tar.NewReader(io.LimitReader(zipped, maxUnpacked)); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		_, below, _ := strings.Cut(head.Name, "/")
		if head.Typeflag != tar.TypeReg || !matches(below, patterns) {
			continue
		}
		if head.Size > source.MaxSize {
			return nil, fmt.Errorf("%s: %s is larger than %d MiB", name, below, source.MaxSize>>20)
		}
		if files[below], err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, below, err)
		}
	}
}

// undir gives the files of a directory that match.
func undir(dir string, patterns []string) (map[string][]byte, error) {
	fsys := os.DirFS(dir)
	files := make(map[string][]byte)
	for _, p := range patterns {
		names, err := fs.Glob(fsys, p)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if files[name], err = source.ReadFS(fsys, name); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}
