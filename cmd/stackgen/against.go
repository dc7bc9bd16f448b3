package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/output"
)

// importedFrom is the record of the files of a deployment, as they are when it is taken over. The key of its digests is
// the deployment's own signing key.
func importedFrom(dir string, files []string, d *deployment.Deployment) *manifest.Imported {
	all, _ := compare.Files(d)
	m := manifest.NewImported(filepath.ToSlash(dir), all, recordKey(d))
	m.Compose = files
	return m
}

// recordKey is the signing key of the homeserver, or else all its secrets, one after the other.
func recordKey(d *deployment.Deployment) []byte {
	for _, s := range d.Synapses {
		if name, at := s.SigningKey(); name != "" {
			if text, _, reason := d.Text(s.Service, name); reason == "" {
				return []byte(strings.TrimSpace(text))
			}
		} else if at.Set() {
			return []byte(at.Str())
		}
	}
	var all []string
	for _, s := range d.Secrets() {
		all = append(all, s.What+"="+s.Value)
	}
	slices.Sort(all)
	return []byte(strings.Join(all, "\n"))
}

// against compares a directory with the stack that it takes the place of, and that one with what it was when it was
// taken over.
func (c *checkCmd) against(a *app) error {
	record, err := c.record()
	if err != nil {
		return err
	}
	var named []string // with -f, when it was taken over
	if record != nil {
		named = record.Compose
	}
	old, closeOld, err := openStack(c.Against, "", named)
	if err != nil {
		return err
	}
	defer closeOld()
	if old.File == "" && kubernetes.Has(old.FS) {
		return errManifests(c.Against)
	}
	if old.File == "" {
		return fmt.Errorf("%s: there is no stack that can be read; `stackgen check` says why", c.Against)
	}
	differs := c.since(a, old, record)
	ours, closeOurs, err := openStack(c.Dir, c.Root, c.File, c.Profile...)
	if err != nil {
		return err
	}
	defer closeOurs()
	switch {
	case ours.File == "" && record == nil:
		return fmt.Errorf("%s holds neither a stack nor the record of an import, %s", c.Dir, manifest.ImportedPath)
	case ours.File != "":
		r := compare.Deployments(old, ours)
		if err := r.Write(a.stdout, compare.Options{Format: c.Format, Color: a.colored(a.stdout), Width: a.width(a.stdout), Old: filepath.ToSlash(c.Against), Ours: filepath.ToSlash(c.Dir), More: "--format json"}); err != nil {
			return err
		}
		differs = differs || r.Needs()
	}
	if differs {
		return exitCode(exitFindings)
	}
	return nil
}

// openStack reads the deployment of a directory.
func openStack(dir, root string, files []string, profiles ...string) (*deployment.Deployment, func(), error) {
	tree, closed, err := openTree(dir, root)
	if err != nil {
		return nil, func() {}, err
	}
	d, _ := compose.OpenWith(tree, composeOptions(dir, files, profiles...))
	return d, func() { _ = closed() }, nil
}

// record is that of the import: in the directory, or beside the spec in the one above; nil where there is none.
func (c *checkCmd) record() (*manifest.Imported, error) {
	for _, dir := range []string{c.Dir, filepath.Join(c.Dir, "..")} {
		m, err := manifest.ReadImported(os.DirFS(dir))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
	}
	return nil, nil
}

// since says what has become of the old files since they were taken over.
func (c *checkCmd) since(a *app, old *deployment.Deployment, record *manifest.Imported) bool {
	if record == nil {
		say(a.stderr, "no record of an import lies in %s or beside it: whether %s was edited since cannot be told", c.Dir, c.Against)
		return false
	}
	files, _ := compare.Files(old)
	changed, added, gone, ok := record.Since(files, recordKey(old))
	if !ok {
		say(a.stderr, "%s has another signing key than the stack that was taken over: it is another stack, or its key was changed", c.Against)
		return true
	}
	mask := old.Mask()
	n := 0
	for _, group := range []struct {
		word  string
		names []string
	}{{"edited", changed}, {"added", added}, {"gone", gone}} {
		for _, name := range group.names {
			n++
			say(a.stderr, "%-6s  %s", group.word, mask.Text(filepath.Join(c.Against, name)))
		}
	}
	if n == 0 {
		say(a.stderr, "%s is as it was when it was taken over (%s)", c.Against, output.Plural(len(record.Files), "file"))
		return false
	}
	say(a.stderr, "%s since %s was taken over: `stackgen import --verify` says what the spec does not have", output.Plural(n, "change"), c.Against)
	return true
}
