package deployment

import (
	"io/fs"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Mask hides whatever is secret in the files of the deployment that were read. It has no list of secrets to
// go by: names, shapes and places tell them.
func (d *Deployment) Mask() *finding.Mask {
	m := &finding.Mask{}
	var hidden []source.Hidden
	add := func(name, text string) { hidden = append(hidden, source.HiddenIn(name, text)...) }
	for _, f := range d.Files {
		found, open := f.Hidden()
		hidden = append(hidden, found...)
		m.Open(open...)
	}
	for name, value := range d.Env {
		add(name, value)
	}
	if d.Compose != nil {
		for _, s := range d.Services {
			m.Open(s.Name)
			for _, file := range s.envFiles() {
				for name, value := range dotenv(d.small(file.Str())) {
					add(name, value)
				}
			}
			hidden = append(hidden, d.argued(s)...)
		}
		for name, def := range d.Compose.At("secrets").Entries() {
			hidden = append(hidden, source.Hidden{Value: strings.TrimSpace(d.small(def.At("file").Str()))},
				source.Hidden{Value: d.Env[def.At("environment").Str()]})
			m.Open(name.Str())
		}
		hidden = append(hidden, d.interpolated(d.Compose.Root(), "")...)
		for _, h := range d.Secrets() {
			hidden = append(hidden, source.Hidden{Value: h.Value})
		}
	}
	for _, h := range hidden {
		m.HideBehind(h.Lead, h.Value)
	}
	for _, h := range hidden {
		m.Hide(h.Value)
	}
	return m
}

// Hide gives the findings without the secrets of the deployment. Where there is none to hide them in, none is looked for.
func (d *Deployment) Hide(findings []finding.Finding) []finding.Finding {
	if len(findings) == 0 {
		return findings
	}
	return d.Mask().Findings(findings)
}

// small is the text of a file of the deployment, "" where there is none.
func (d *Deployment) small(name string) string {
	if name = path.Clean(name); !fs.ValidPath(name) {
		return ""
	}
	src, err := source.ReadFS(d.FS, name)
	if err != nil || len(src) > 1<<16 {
		return ""
	}
	return string(src)
}

// argued are the secrets of commands whose words are items of a list.
func (d *Deployment) argued(s *Service) []source.Hidden {
	var found []source.Hidden
	for _, key := range []string{"command", "entrypoint"} {
		var words []string
		for _, item := range s.Value.At(key).Items() {
			words = append(words, item.Str())
		}
		if len(words) > 0 {
			found = append(found, source.HiddenIn("", strings.Join(words, " "))...)
		}
	}
	return found
}

// interpolated are the values of variables that stand under the name of a secret, and their defaults.
func (d *Deployment) interpolated(v source.Value, name string) []source.Hidden {
	var found []source.Hidden
	switch v.Kind() {
	case source.Mapping:
		for k, val := range v.Entries() {
			found = append(found, d.interpolated(val, k.Str())...)
		}
	case source.Sequence:
		for _, item := range v.Items() {
			found = append(found, d.interpolated(item, name)...)
		}
	default:
		text := v.Str()
		if !strings.Contains(text, "$") {
			break
		}
		expanded, _ := d.Expand(v)
		found = append(found, source.HiddenIn(name, expanded)...)
		if v.NamesSecret() || len(source.HiddenIn(name, text)) > 0 {
			for _, m := range Variable().FindAllStringSubmatch(text, -1) {
				found = append(found, source.Hidden{Value: d.Env[m[2]+m[5]]}, source.Hidden{Value: m[4]})
			}
		}
	}
	return found
}
