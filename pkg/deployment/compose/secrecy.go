package compose

import (
	"io/fs"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// secrecy gives the secrets of what Compose reads beside the files of the deployment that were read, and words that
// are none although they stand in the place of one.
func (p *Project) secrecy() (hidden []source.Hidden, open []string) {
	add := func(name, text string) { hidden = append(hidden, source.HiddenIn(name, text)...) }
	for name, value := range p.Env {
		add(name, value)
	}
	if p.File == nil {
		return hidden, nil
	}
	for name, s := range p.File.At("services").Entries() {
		open = append(open, name.Str())
		for _, file := range p.envFiles(s) {
			for name, value := range envFile(p.small(file.Str())) {
				add(name, value)
			}
		}
		for _, key := range []string{"command", "entrypoint"} {
			if words := p.list(s.At(key)).Texts(); len(words) > 0 {
				add("", strings.Join(words, " "))
			}
		}
	}
	for name, def := range p.File.At("secrets").Entries() {
		hidden = append(hidden, source.Hidden{Value: strings.TrimSpace(p.small(def.At("file").Str()))},
			source.Hidden{Value: p.Env[def.At("environment").Str()]})
		open = append(open, name.Str())
	}
	return append(hidden, p.interpolated(p.File.Root(), "")...), open
}

// small is the text of a file of the deployment, "" where there is none.
func (p *Project) small(name string) string {
	if name = path.Clean(name); !fs.ValidPath(name) {
		return ""
	}
	src, err := source.ReadFS(p.fsys, name)
	if err != nil || len(src) > 1<<16 {
		return ""
	}
	return string(src)
}

// interpolated are the values of variables that stand under the name of a secret, and their defaults.
func (p *Project) interpolated(v source.Value, name string) []source.Hidden {
	var found []source.Hidden
	switch v.Kind() {
	case source.Mapping:
		for k, val := range v.Entries() {
			found = append(found, p.interpolated(val, k.Str())...)
		}
	case source.Sequence:
		for _, item := range v.Items() {
			found = append(found, p.interpolated(item, name)...)
		}
	default:
		text := v.Str()
		if !strings.Contains(text, "$") {
			break
		}
		expanded, _ := p.expand(v)
		found = append(found, source.HiddenIn(name, expanded)...)
		if v.NamesSecret() || len(source.HiddenIn(name, text)) > 0 {
			for _, m := range variable().FindAllStringSubmatch(text, -1) {
				found = append(found, source.Hidden{Value: p.Env[m[2]+m[5]]}, source.Hidden{Value: m[4]})
			}
		}
	}
	return found
}
