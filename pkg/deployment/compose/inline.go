package compose

import (
	"bytes"
	"io/fs"
	"path"
	"time"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// contents makes files of the configs that stand in a compose file themselves. What such a file says has its place there.
func (p *Project) contents(d *deployment.Deployment) {
	p.inline = make(map[string]string)
	files := &inlined{FS: p.fsys, data: make(map[string][]byte)}
	for key, def := range p.File.At("configs").Entries() {
		content := def.At("content")
		text, known := p.expand(content)
		if !content.Set() || !known {
			continue
		}
		at := content.File().Path
		name := at + "#configs." + key.Str()
		p.inline[key.Str()], files.data[name] = name, []byte(text)
		if f, problem := source.Parse(at, content.Inside(text)); problem == nil {
			d.Add(name, f)
		}
	}
	if len(files.data) > 0 {
		p.fsys, d.FS = files, files
	}
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
