package source

import (
	"cmp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// scalar is a scalar node and the places it stands in: behind an alias it is met under several names.
type scalar struct {
	node *yaml.Node
	uses []use
}

// use is one place of a scalar, and the text that may be a secret there.
type use struct {
	place
	text string
}

// secret reports whether the scalar may be a secret; one secret name is enough. It is asked of the lines
// that are shown alone, for it is slow.
func (s scalar) secret() bool {
	return slices.ContainsFunc(s.uses, func(u use) bool {
		return u.secret && !plainName(u.name) && !harmless(u.text) || looksSecret(u.name, u.text)
	})
}

// index sorts the scalars of the file by the line on which they begin.
func (f *File) index() {
	f.lines = splitLines(strings.TrimPrefix(string(f.Src), "\ufeff"))
	f.scalars = make(map[int][]scalar)
	f.uses = make(map[*yaml.Node][]use)
	walkScalars(f.root, place{values: isValues(f.root)}, func(n *yaml.Node, u use) { f.uses[n] = append(f.uses[n], u) })
	for n, us := range f.uses {
		f.scalars[n.Line] = append(f.scalars[n.Line], scalar{n, us})
	}
	for _, line := range f.scalars {
		slices.SortFunc(line, func(a, b scalar) int { return cmp.Compare(a.node.Column, b.node.Column) })
	}
}

// place is what governs a value: the key it stands under, and whether all below that key is secret.
type place struct {
	keys   []string
	name   string
	secret bool
	open   bool // it only names what is elsewhere
	values bool // in the values of the ESS chart
}

// references are the keys of Kubernetes below which stand names of objects and of their keys, never a value.
var references = []string{"secretKeyRef", "configMapKeyRef", "secretRef", "configMapRef", "imagePullSecrets", "secretName", "existingSecret", "matchExpressions"}

// inValues are those of the ESS chart: what is secret stands in its values at a key of its own, "value".
var inValues = []string{"secret", "secretKey", "configSecret", "configSecretKey", "tlsSecret"}

// refers reports whether a key of that place is one of those: a secret is, as a volume of a pod.
func (p place) refers(key string) bool {
	if slices.Contains(references, key) || p.values && slices.Contains(inValues, key) {
		return true
	}
	above := p.keys
	if n := len(above); n > 0 && strings.Trim(above[n-1], "0123456789") == "" {
		above = above[:n-1]
	}
	n := len(above)
	return key == "secret" && n > 1 && (above[n-1] == "volumes" && above[n-2] == "spec" || above[n-1] == "sources" && above[n-2] == "projected")
}

func (p place) down(key string) place {
	if p.open || p.refers(key) {
		return place{keys: append(slices.Clip(p.keys), key), open: true}
	}
	// Below `secrets` a Compose service lists names and mounts, never a value.
	if key == "secrets" && len(p.keys) == 2 && p.keys[0] == "services" {
		return place{}
	}
	return place{
		keys:   append(slices.Clip(p.keys), key),
		name:   key,
		secret: p.secret || secretParent().MatchString(key) || p.values && key == "value",
		values: p.values,
	}
}

func walkScalars(n *yaml.Node, p place, visit func(*yaml.Node, use)) {
	n = deref(n)
	if n == nil {
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		text := n.Value
		if text == "" {
			// A password that begins with & or ! reads as the anchor or tag of an empty value.
			text = n.Anchor
			if n.Style&yaml.TaggedStyle != 0 {
				text += n.Tag
			}
		}
		visit(n, use{p, text})
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := deref(n.Content[i]), n.Content[i+1]
			// A key is a name. It is hidden only if it cannot be one.
			walkScalars(k, place{}, visit)
			below := p.down(k.Value)
			if isMerge(k) {
				below = p
			}
			if k.Value == "value" {
				below.name = cmp.Or(scalarUnder(n, "name"), below.name)
			}
			walkScalars(v, below, visit)
		}
	default:
		for i, c := range n.Content {
			below := p
			if i > 0 {
				if flag := deref(n.Content[i-1]).Value; strings.HasPrefix(flag, "-") && secretWord().MatchString(flag) {
					below = place{secret: true}
				}
			}
			walkScalars(c, below, visit)
		}
	}
}

// isValues reports whether a file has the values of the ESS chart.
func isValues(root *yaml.Node) bool {
	root = deref(root)
	return root != nil && root.Kind == yaml.MappingNode && scalarUnder(root, "serverName") != "" && scalarUnder(root, "apiVersion") == ""
}

func scalarUnder(m *yaml.Node, key string) string {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if deref(m.Content[i]).Value == key {
			return deref(m.Content[i+1]).Value
		}
	}
	return ""
}
