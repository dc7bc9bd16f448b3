package check

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// mend is a fix that is one certain edit: its words, and what it does to the files. Both are made of the same text, so that they
// cannot differ.
type mend struct {
	text  string
	edits func() []source.Edit
}

// editable is a value of the model that can be written anew.
type editable interface {
	Name() string
	Become(written string) []source.Edit
	BecomeText(text string) []source.Edit
	Gone() []source.Edit
}

// set makes a value the one that is written in YAML.
func set(v editable, written string) mend {
	return mend{v.Name() + ": " + written, func() []source.Edit { return v.Become(written) }}
}

// line makes a value what stands behind the colon of a line of its own.
func line(v editable, text string) mend {
	_, written, _ := strings.Cut(text, ": ")
	return mend{text, func() []source.Edit { return v.Become(written) }}
}

// say makes a value the string.
func say(v editable, text string) mend {
	return mend{v.Name() + ": " + text, func() []source.Edit { return v.BecomeText(text) }}
}

// swap makes a word of a line another one, in a file of any kind.
func swap(d *deployment.Deployment, at source.Site, old, now, words string) mend {
	return mend{words, func() []source.Edit { return d.Swap(at, old, now) }}
}

// remove takes a value out of its file.
func remove(v editable, words string) mend { return mend{words, v.Gone} }

// inBoth makes a value of Synapse's copy of a registration the one that is written in YAML, and so that of the bridge's copy.
func inBoth(d *deployment.Deployment, reg *deployment.Registration, v source.Value, written string) mend {
	return both(d, reg, v, set(v, written).text, func(v source.Value) []source.Edit { return v.Become(written) })
}

// both makes a change of Synapse's copy of a registration in the bridge's copy as well, as long as the two say the same there.
func both(d *deployment.Deployment, reg *deployment.Registration, v source.Value, text string, change func(source.Value) []source.Edit) mend {
	b := d.BridgeOf(reg)
	if b == nil || b.Own == nil || b.Own.Path == reg.Path {
		return mend{text, func() []source.Edit { return change(v) }}
	}
	same, top := true, v.Keys()[0]
	differences(b.Own.At(top), reg.At(top), func(_, _ source.Value) { same = false })
	if !same {
		return mend{text, func() []source.Edit { return change(v) }}
	}
	return mend{text, func() []source.Edit { return together(change(v), change(b.Own.At(v.Keys()...))) }}
}

// together are edits that are one fix: none where one is missing.
func together(all ...[]source.Edit) []source.Edit {
	for _, edits := range all {
		if len(edits) == 0 {
			return nil
		}
	}
	return slices.Concat(all...)
}

// label makes a label of a service that one.
func label(s *deployment.Service, key, value string) mend {
	if strings.Contains(key, "@") {
		return mend{text: s.Label(key, value)} // it stands in a file of Traefik's
	}
	return mend{s.Label(key, value), func() []source.Edit { return s.LabelEdit(key, value) }}
}

// unless leaves the words of a fix alone where it is not certain.
func unless(doubt bool, fix mend) mend {
	if doubt {
		fix.edits = nil
	}
	return fix
}
