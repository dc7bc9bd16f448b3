package compose

import (
	"path"
	"strings"

	"philipp.info/stackgen/pkg/deployment/compose/project"
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
		settings, _ := p.Environment(s)
		for _, e := range settings {
			if e.File != "" {
				add(e.Name, e.Text)
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
	for _, f := range p.Files { // of those of one name, the deployment has one
		found, plain := f.Hidden()
		hidden, open = append(hidden, found...), append(open, plain...)
	}
	return append(append(hidden, p.inImages...), p.interpolated()...), open
}

// small is the text of a file of the deployment, "" where there is none.
func (p *Project) small(name string) string {
	if name == "" {
		return ""
	}
	src, err := source.ReadFS(p.fsys, path.Clean(name))
	if err != nil || len(src) > 1<<16 {
		return ""
	}
	return string(src)
}

// interpolated are the values of variables that stand under the name of a secret, and their defaults.
func (p *Project) interpolated() []source.Hidden {
	var found []source.Hidden
	for _, v := range p.Variables {
		name := ""
		for _, key := range v.At.Keys() {
			if strings.Trim(key, "0123456789") != "" { // no index of a list
				name = key
			}
		}
		text := v.At.Str()
		found = append(found, source.HiddenIn(name, v.Text)...)
		if v.At.NamesSecret() || len(source.HiddenIn(name, text)) > 0 {
			for _, value := range v.Values {
				found = append(found, source.Hidden{Value: value})
			}
			for _, use := range project.Uses(text) {
				for _, v := range use.Variables {
					found = append(found, source.Hidden{Value: v.DefaultValue}, source.Hidden{Value: v.PresenceValue})
				}
			}
		}
	}
	return found
}
