package deployment

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Follow reads the YAML file that a container sees at a path; nil and why when that is not possible. hidden
// says that the file may well be there, but outside of what can be seen.
func (d *Deployment) Follow(s *Service, container string) (f *source.File, reason string, hidden bool) {
	host, reason := s.HostPath(container)
	if reason != "" {
		return nil, reason, !strings.HasPrefix(reason, NothingMounted)
	}
	if d.Faulty(host) {
		return nil, host + unreadable, false
	}
	// What was only looked at as a text has not been parsed.
	if f := d.file(host); f != nil && f.Root().Exists() {
		return f, "", false
	}
	if _, err := fs.Stat(d.FS, host); errors.Is(err, fs.ErrNotExist) {
		return nil, host + cmp.Or(d.Unseen(err), " does not exist"), d.Alone
	}
	f, findings := d.Read(host)
	if len(findings) > 0 && d.locked(host) {
		return nil, host + " is " + source.ErrLocked.Error(), true
	}
	if len(findings) > 0 {
		d.fault(host, findings...)
		return nil, host + unreadable, false
	}
	return f, "", false
}

func (d *Deployment) locked(host string) bool {
	_, err := source.ReadFS(d.FS, host)
	return errors.Is(err, source.ErrLocked)
}

// Hidden says why a path of the deployment cannot be seen, wherever it leads; "" when it can.
func (d *Deployment) Hidden(host string) string {
	switch _, err := fs.Stat(d.FS, host); {
	case source.Escapes(err):
		return host + " is " + source.LeadsOut
	default:
		if e, ok := source.MayLie(err); ok {
			return host + " is " + e.Error()
		}
	}
	return ""
}

// Cause is the error without the path, which the finding's place names already.
func Cause(err error) string {
	if source.Escapes(err) {
		return "it is " + source.LeadsOut
	}
	if e, ok := source.MayLie(err); ok {
		return "it is " + e.Error()
	}
	return source.Cause(err)
}

// Read parses a file of the deployment. The findings say why that is not possible.
func (d *Deployment) Read(name string) (*source.File, []finding.Finding) {
	if findings := d.Faults[name]; findings != nil {
		return nil, findings
	}
	src, err := source.ReadFS(d.FS, name)
	if err != nil {
		return nil, []finding.Finding{{
			Rule: "compose-mount-exists", Severity: finding.Error, Message: "cannot be read: " + Cause(err),
			Fix: "put a readable file there", Sites: []source.Site{{Pos: source.Pos{File: name}}},
		}}
	}
	for _, k := range d.known {
		if f := k.Parsed(name, src); f != nil {
			d.keep(f)
			return f, nil
		}
	}
	f, findings := finding.Parse(name, src)
	d.keep(f)
	return f, findings
}

// Parsed is the file of that name as it was read, nil where it was not, or had other bytes, or could not be parsed.
func (d *Deployment) Parsed(name string, src []byte) *source.File {
	if f := d.file(name); f != nil && f.Root().Exists() && bytes.Equal(f.Src, src) {
		return f
	}
	return nil
}

// file is one that was read; nil when it was not.
func (d *Deployment) file(name string) *source.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files[name]
}

// Held is a file that was made known by Add; nil where none was.
func (d *Deployment) Held(name string) *source.File { return d.file(name) }

// read are the files that were read.
func (d *Deployment) read() []*source.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.files))
}

// Texts is the bytes of each file that was read, by its name. What stands in another file is a part of that.
func (d *Deployment) Texts() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	texts := make(map[string][]byte, len(d.files))
	for name, f := range d.files {
		if f.Path == name {
			texts[name] = f.Src
		}
	}
	return texts
}

func (d *Deployment) keep(f *source.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[f.Path] = f
}

func (d *Deployment) keepText(host string, src []byte) {
	if d.file(host) == nil {
		d.keep(&source.File{Path: host, Src: src})
	}
}

// fault keeps what is wrong with a file.
func (d *Deployment) fault(host string, findings ...finding.Finding) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.problems = append(d.problems, findings...)
	d.broken[host] = true
}

func (d *Deployment) problem(f finding.Finding) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.problems = append(d.problems, f)
}

// Add makes a file known that was parsed elsewhere, by the name that a mount has it; the first of a name counts.
func (d *Deployment) Add(name string, f *source.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[name] == nil {
		d.files[name] = f
	}
}

// Faulty reports whether a file has a finding of its own, which is not to be repeated.
func (d *Deployment) Faulty(host string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken[host]
}

// Problems are what kept files from being read that a program has to read.
func (d *Deployment) Problems() []finding.Finding {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.problems)
}

// FilesRead is how many files were read. What stands in another one is a part of that.
func (d *Deployment) FilesRead() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := make(map[string]bool, len(d.files))
	for _, f := range d.files {
		names[d.held(source.Pos{File: f.Path}).File] = true
	}
	return len(names)
}

// Unseen says why what is missing may be there all the same; "" when it is not.
func (d *Deployment) Unseen(err error) string {
	if d.Alone && errors.Is(err, fs.ErrNotExist) {
		return source.NotRendered
	}
	return ""
}

const unreadable = " cannot be read"

// Text reads a file that is not YAML, as a container sees it; empty and why when that is not possible.
func (d *Deployment) Text(s *Service, container string) (text, host, reason string) {
	if host, reason = s.HostPath(container); reason != "" {
		return "", "", reason
	}
	src, err := source.ReadFS(d.FS, host)
	if err != nil {
		return "", host, host + cmp.Or(d.Unseen(err), unreadable)
	}
	d.keepText(host, src)
	return string(src), host, ""
}

// KeysAt is the path of keys that leads to a place in one of the files.
func (d *Deployment) KeysAt(p source.Pos) []string {
	for name, i := p.File, 2; ; name, i = Document(p.File, i), i+1 {
		f := d.file(name)
		if f == nil {
			return nil
		}
		if keys := f.KeysAt(p); keys != nil {
			return keys
		}
	}
}

// Document is the name of one of the documents of a file, from 1 on.
func Document(name string, i int) string {
	if i == 1 {
		return name
	}
	return fmt.Sprintf("%s (document %d)", name, i)
}
