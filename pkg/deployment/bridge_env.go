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
	for _, v := range slices.Backward(b.Variables) { // the one that counts last
		key, ours := strings.CutPrefix(v.Name, prefix)
		if !ours || v.Hidden != "" || strings.HasSuffix(key, "_FILE") {
			continue
		}
		key = strings.ToLower(key)
		if !strings.Contains(key, ".") {
			key = strings.ReplaceAll(key, "__", ".")
		}
		v.lay(over, strings.Split(key, "."))
	}
	if len(over.Names()) == 0 {
		return b.Config
	}
	return source.Join(deepMerged(b.Config.Root().Node(), over))
}
