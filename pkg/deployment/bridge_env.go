package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// fromVariables lays what the environment of a bridge on bridgev2 has of its configuration over the file, where
// env_config_prefix turns that on: PREFIX_SECTION__KEY, or prefix and a dotted path (mautrix-go v0.32.0
// bridgev2/matrix/mxmain/envconfig.go). A variable that names a file, or cannot be seen, is asked for where it is needed.
func (b *Bridge) fromVariables() *source.File {
	prefix := b.Config.At("env_config_prefix").Str()
	if prefix == "" || b.Dialect != component.BridgeV2 {
		return b.Config
	}
	over := source.NewMapping(&source.Node{Kind: source.Mapping, From: b.Config.Root()})
	for _, s := range b.Settings() {
		if s.Hidden == "" && !s.File {
			s.lay(over, s.Path)
		}
	}
	if len(over.Names()) == 0 {
		return b.Config
	}
	return source.Join(deepMerged(b.Config.Root().Node(), over))
}

// VariableSetting is a variable that a bridge takes for one of its settings: Path are the keys that lead to it, File says that the
// variable names a file with its value.
type VariableSetting struct {
	Variable
	Path []string
	File bool
}

// Settings are the variables that env_config_prefix makes settings of a bridge on bridgev2, the one that counts last at the end.
func (b *Bridge) Settings() (list []VariableSetting) {
	prefix := b.Config.At("env_config_prefix").Str()
	if prefix == "" || b.Dialect != component.BridgeV2 {
		return nil
	}
	for _, v := range slices.Backward(b.Variables) {
		key, ours := strings.CutPrefix(v.Name, prefix)
		if !ours {
			continue
		}
		key, file := strings.CutSuffix(key, "_FILE")
		key = strings.ToLower(key)
		if !strings.Contains(key, ".") {
			key = strings.ReplaceAll(key, "__", ".")
		}
		list = append(list, VariableSetting{v, strings.Split(key, "."), file})
	}
	return list
}
