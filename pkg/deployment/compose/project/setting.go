package project

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"

	"philipp.info/stackgen/pkg/source"
)

// Setting is a variable of a service's environment, or one of its labels.
type Setting struct {
	Name, Text string
	// Handed says that the service gets what the shell has, which is not known; Text is empty then.
	Handed bool
	// Unset are the variables that Text lacks. Gapped is NAME=text of a label with each of them, as \x00NAME\x00; "" when
	// there is none.
	Unset  []string
	Gapped string
	// At is where it stands; for one of a File the entry that names that.
	At   source.Value
	File string

	listed bool // At is NAME=text, not text alone
}

// Environment gives the variables that a service of the tree is started with, each once, and why there may be others; "" when
// there are none.
func (p *Project) Environment(service source.Value) (settings []Setting, hidden string) {
	settings = lastOfEach(settingsOf(service.At("environment")))
	known := maps.Clone(p.env.vars)
	for i, s := range settings {
		if text, ok := p.env.vars[s.Name]; s.Handed && ok {
			settings[i].Text, settings[i].Unset = fill(text)
			settings[i].Handed = false
		}
		if _, ok := known[s.Name]; !ok && !s.Handed {
			known[s.Name] = settings[i].Text
		}
	}
	return p.withFiles(settings, service.At("env_file"), known, true)
}

// Labels gives the labels of a service of the tree, as Environment does its variables; those that stand in one list twice,
// of which the later counts, are both among them.
func (p *Project) Labels(service source.Value) (settings []Setting, hidden string) {
	return p.withFiles(p.LabelsOf(service.At("labels")), service.At("label_file"), make(map[string]string), false)
}

// LabelsOf are the labels that stand in one place of the tree.
func (p *Project) LabelsOf(labels source.Value) []Setting {
	settings := settingsOf(labels)
	for i := range settings {
		settings[i].Handed = false // a label without a value is empty
		settings[i].Gapped = p.gapped(settings[i])
	}
	return settings
}

// gapped is a label as the compose file has it, with its variables filled in but for those that have no value.
func (p *Project) gapped(s Setting) string {
	if len(s.Unset) == 0 {
		return ""
	}
	text := p.env.gapped(s.At.Origin().Str())
	if s.listed {
		return text
	}
	return s.Name + "=" + text
}

// lastOfEach leaves out what a later one of the same name replaces.
func lastOfEach(settings []Setting) []Setting {
	index := make(map[string]int, len(settings))
	kept := settings[:0]
	for _, s := range settings {
		if i, ok := index[s.Name]; ok {
			kept[i] = s
			continue
		}
		index[s.Name] = len(kept)
		kept = append(kept, s)
	}
	return kept
}

// settingsOf reads a list of NAME=text or a mapping.
func settingsOf(v source.Value) []Setting {
	var all []Setting
	for key, val := range v.Entries() {
		all = append(all, Setting{Name: key.Str(), Text: textOfValue(val), Handed: !val.Set(), Unset: val.Unset(), At: val})
	}
	for _, item := range v.Items() {
		name, text, ok := strings.Cut(textOfValue(item), "=")
		all = append(all, Setting{Name: name, Text: text, Handed: !ok, Unset: item.Unset(), At: item, listed: true})
	}
	return all
}

func textOfValue(v source.Value) string {
	if v.Kind() != source.Scalar {
		return ""
	}
	return formatted(v.Node())
}

// withFiles adds what files say that the settings do not. gaps says that a variable that is set nowhere may be set by the
// shell.
func (p *Project) withFiles(settings []Setting, files source.Value, known map[string]string, gaps bool) (all []Setting, hidden string) {
	entries := files.Items()
	if files.Kind() == source.Scalar {
		entries = []source.Value{files}
	}
	from := make(map[string]Setting)
	for _, entry := range entries {
		at, format := entry, ""
		if entry.Kind() == source.Mapping {
			at, format = entry.At("path"), entry.At("format").Str()
		}
		name, reason := clean(at.Str())
		var src []byte
		var err error
		if reason == "" && len(at.Unset()) == 0 {
			src, err = source.ReadFS(p.fs, name)
		}
		required := entry.At("required")
		switch {
		case errors.Is(err, fs.ErrNotExist) && required.Set() && !required.True():
			continue
		case reason != "" || err != nil || len(at.Unset()) > 0:
			if hidden == "" {
				hidden = "the " + strings.Split(files.Name(), ".")[0] + " " + at.Str() + " cannot be read"
			}
			continue
		}
		vars := parseSettings(src, format, known, gaps)
		for key, text := range vars {
			s := Setting{Name: key, At: at, File: name}
			s.Text, s.Unset = fill(text)
			from[key] = s
		}
		for key, text := range vars {
			if _, ok := known[key]; !ok || !gaps {
				known[key] = text
			}
		}
	}
	for _, s := range settings {
		delete(from, s.Name)
	}
	for _, key := range slices.Sorted(maps.Keys(from)) {
		settings = append(settings, from[key])
	}
	return settings, hidden
}

// parseSettings reads an environment file. What cannot be parsed is left out: Compose refuses it.
func parseSettings(src []byte, format string, known map[string]string, gaps bool) map[string]string {
	switch {
	case format == "raw":
		return raw(src)
	case tooLong(src, known) > 0:
		return nil
	case gaps:
		vars, _ := (&environment{vars: known}).parse(src)
		return vars
	}
	quiet()
	vars, _ := dotenv.UnmarshalBytesWithLookup(src, func(name string) (string, bool) {
		text, ok := known[name]
		return text, ok
	})
	return vars
}

// raw reads the lines NAME=text of a file in the format that takes everything as it stands.
func raw(src []byte) map[string]string {
	vars := make(map[string]string)
	for line := range bytes.Lines(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))) {
		text := strings.TrimLeft(strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), " \t")
		if name, val, ok := strings.Cut(text, "="); ok && !strings.HasPrefix(text, "#") {
			vars[name] = val
		}
	}
	return vars
}
