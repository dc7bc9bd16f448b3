package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// fromEnvironment lays the configuration of MAS over what its environment has of it. A variable that cannot be seen makes
// it one of which a part is not known.
func (d *Deployment) fromEnvironment(s *Service, f *source.File) *source.File {
	root := source.NewMapping(&source.Node{Kind: source.Mapping, From: f.Root()})
	found := false
	for _, dotted := range component.MASEnvironment {
		keys := strings.Split(dotted, ".")
		name := "MAS_" + strings.ToUpper(strings.Join(keys, "_"))
		v := s.variable(name)
		if f.At(keys...).Set() || v == nil && s.EnvUnread == "" {
			continue
		}
		if s.EnvHidden(name) != "" {
			s.Layered, s.partly = true, true
			continue
		}
		v.lay(root, keys)
		found = true
	}
	if !found {
		return f
	}
	return source.Join(deepMerged(root, f.Root().Node()))
}

// lay makes the variable a value of a configuration, with the sections that lead to it.
func (v *Variable) lay(section *source.Node, keys []string) {
	at := &source.Node{Kind: source.Scalar, From: v.At.v.Origin(), Key: v.At.v.Origin()}
	for _, name := range keys[:len(keys)-1] {
		next := section.Get(name)
		if next == nil || next.Kind != source.Mapping {
			next = source.NewMapping(at)
			section.Set(name, next)
		}
		section = next
	}
	node := source.NewText(at, v.Text)
	node.Tag = figmentTag(v.Text)
	section.Set(keys[len(keys)-1], node)
}

// figmentTag is the type that figment takes the text of a variable for; what mautrix-go wants is of the same form.
func figmentTag(text string) string {
	switch {
	case slices.Contains([]string{"true", "false"}, text):
		return "!!bool"
	case text != "" && strings.Trim(text, "0123456789") == "":
		return "!!int"
	}
	return "!!str"
}
