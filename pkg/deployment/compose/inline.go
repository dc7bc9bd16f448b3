package compose

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// contents makes files of the configs and secrets whose text stands in a compose file itself or in a variable of .env.
// What such a file says has its place in the compose file.
func (p *Project) contents(d *deployment.Deployment) {
	p.inline = make(map[string]string)
	files := &inlined{FS: p.fsys, data: make(map[string][]byte)}
	add := func(kind, key string, def source.Value, text, at string, src []byte) {
		name := def.File().Path + "#" + kind + "." + key
		p.inline[kind+"."+key], files.data[name] = name, []byte(text)
		if f, problem := source.Parse(at, src); problem == nil && src != nil {
			d.Add(name, f)
		}
	}
	for _, kind := range []string{"configs", "secrets"} {
		for key, def := range p.File.At(kind).Entries() {
			content, variable := def.At("content"), def.At("environment")
			if text, known := p.expand(content); content.Set() && known {
				add(kind, key.Str(), def, text, content.File().Path, content.Inside(text))
			} else if text, known := p.Env[variable.Str()]; variable.Set() && known {
				at := d.Env.Pos(variable.Str())
				add(kind, key.Str(), def, text, at.File, p.lined(at, text))
			}
		}
	}
	if len(files.data) > 0 {
		p.fsys, d.FS = files, files
	}
}

// lined is the text of a variable with each line at the number that it has in its file; nil where it has others there.
func (p *Project) lined(at source.Pos, text string) []byte {
	lines := strings.Split(p.small(at.File), "\n")
	if at.Line == 0 || at.Line > len(lines) || !strings.Contains(strings.Join(lines[at.Line-1:], "\n"), strings.TrimSpace(text)) {
		return nil
	}
	return []byte(strings.Repeat("\n", at.Line-1) + text)
}

// inlined is a file system and some files beside it.
type inlined struct {
	fs.FS
	data map[string][]byte
}

func (i *inlined) Open(name string) (fs.File, error) {
	if data, ok := i.data[name]; ok {
		return &inlineFile{Reader: bytes.NewReader(data), name: path.Base(name)}, nil
	}
	return i.FS.Open(name)
}

func (i *inlined) Stat(name string) (fs.FileInfo, error) {
	if data, ok := i.data[name]; ok {
		return (&inlineFile{Reader: bytes.NewReader(data), name: path.Base(name)}).Stat()
	}
	return fs.Stat(i.FS, name)
}

func (i *inlined) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(i.FS, name) }

func (i *inlined) Lstat(name string) (fs.FileInfo, error) {
	if _, ok := i.data[name]; ok {
		return i.Stat(name)
	}
	return fs.Lstat(i.FS, name)
}

func (i *inlined) ReadLink(name string) (string, error) { return fs.ReadLink(i.FS, name) }

// inlineFile is one that Compose makes: everybody may read it.
type inlineFile struct {
	*bytes.Reader
	name string
}

func (f *inlineFile) Close() error               { return nil }
func (f *inlineFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *inlineFile) Name() string               { return f.name }
func (f *inlineFile) Mode() fs.FileMode          { return 0o444 }
func (f *inlineFile) ModTime() time.Time         { return time.Time{} }
func (f *inlineFile) IsDir() bool                { return false }
func (f *inlineFile) Sys() any                   { return nil }
