package adopt

import (
	"fmt"

	"philipp.info/stackgen/pkg/source"
)

// providerFields are the keys of an upstream provider that a spec has fields for.
var providerFields = []string{
	"id", "synapse_idp_id", "human_name", "issuer", "client_id", "client_secret", "client_secret_file", "scope", "claims_imports.localpart.on_conflict",
}

// providers adds what the upstream providers of MAS have beside those fields.
func (r *reader) providers(over, ours *source.Node) *source.Node {
	return listed(over, ours, []string{"upstream_oauth2", "providers"}, r.mas.Upstreams(), "id", providerFields)
}

// listed adds what the items of a list have beside the fields that they are rendered from. One of them can only be
// replaced with all others. id is the key by which an item is the same on both sides.
func listed(over, ours *source.Node, path []string, theirs []source.Value, id string, fields []string) *source.Node {
	list := ours.Get(path...)
	if list == nil {
		return over
	}
	differs := false
	all := &source.Node{Kind: source.Sequence}
	for i, item := range list.Items {
		for j, p := range theirs {
			if p.At(id).Str() != item.Get(id).Str() && (p.At(id).Set() || i != j) {
				continue
			}
			if more := beside(item, pruned(p.Node(), fields)); more != nil {
				differs = true
				laid(item, more)
			}
		}
		all.Items = append(all.Items, item)
	}
	if !differs {
		return over
	}
	if over == nil {
		over = &source.Node{Kind: source.Mapping}
	}
	at := over
	for _, key := range path[:len(path)-1] {
		if at.Get(key) == nil {
			at.Set(key, &source.Node{Kind: source.Mapping})
		}
		at = at.Get(key)
	}
	at.Set(path[len(path)-1], all)
	return over
}

// laid lays over onto a tree, as source.Merge does.
func laid(n, over *source.Node) {
	for _, name := range over.Names() {
		op, key := source.Operator(name)
		value := over.Get(name)
		switch {
		case op == '+':
			n.Get(key).Items = append(n.Get(key).Items, value.Items...)
		case n.Get(name).Is(source.Mapping) && value.Is(source.Mapping):
			laid(n.Get(name), value)
		default:
			n.Set(name, value)
		}
	}
}

// keys has MAS sign with the keys that it has, under their ids: the rendered ones have ids of their own.
func (r *reader) keys(over *source.Node) *source.Node {
	list := &source.Node{Kind: source.Sequence}
	same := true
	for i, k := range r.mas.Config.At("secrets", "keys").Items() {
		pem := r.pem(k)
		item := &source.Node{Kind: source.Mapping}
		if kid := k.At("kid").Str(); kid != "" {
			item.Set("kid", source.Made("!!str", kid))
		}
		kind := ""
		for _, rendered := range []string{"rsa", "ec"} {
			if pem != "" && r.secrets["auth.key_"+rendered] == pem {
				kind = rendered
			}
		}
		switch {
		case kind != "":
			item.Set("key_file", source.Made("!!str", "/run/secrets/mas_key_"+kind))
		case pem != "" && !k.At("password").Set() && !k.At("password_file").Set():
			name := fmt.Sprintf("auth.keys.%d", i+1)
			r.secrets[name] = pem
			ref := &source.Node{Kind: source.Mapping}
			ref.Set("secret", source.Made("!!str", name))
			item.Set("key", ref)
		default:
			r.note(k.Site(""), "a key of MAS cannot be taken over: it cannot be seen, or has a password", "auth")
			continue
		}
		same = same && kind != "" && kind == item.Get("kid").Str()
		list.Items = append(list.Items, item)
	}
	if same && len(list.Items) == 2 || len(list.Items) == 0 {
		return over
	}
	if over == nil {
		over = &source.Node{Kind: source.Mapping}
	}
	secrets := &source.Node{Kind: source.Mapping}
	secrets.Set("keys", list)
	over.Set("secrets", secrets)
	return over
}
