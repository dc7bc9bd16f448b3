package kubernetes

import (
	"cmp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// renamed is the object with the images that an entry of images means.
func renamed(o *object, v source.Value) *object {
	where, ok := templates[o.kind]
	if !ok {
		return o
	}
	tree, changed := o.Node(), false
	spec := tree.Get(append(slices.Clone(where), "spec")...)
	for _, list := range []string{"containers", "initContainers"} {
		items := spec.Get(list)
		if items == nil {
			continue
		}
		for _, item := range items.Items {
			at := item.Get("image")
			if at == nil || repository(at.Text) != v.At("name").Str() {
				continue
			}
			ref := cmp.Or(v.At("newName").Str(), v.At("name").Str())
			switch old := strings.TrimPrefix(at.Text, repository(at.Text)); {
			case v.At("digest").Set():
				ref += "@" + v.At("digest").Str()
			case v.At("newTag").Set():
				ref += ":" + v.At("newTag").Str()
			default:
				ref += old
			}
			from := *at
			from.From, from.Key = v.At("name"), v.At("name")
			if v.At("newTag").Set() {
				from.From, from.Key = v.At("newTag"), v.At("newTag")
			}
			item.Set("image", source.NewText(&from, ref))
			changed = true
		}
	}
	if !changed {
		return o
	}
	next := *o
	next.Value = source.Join(tree).Root()
	return &next
}

// selectors are where objects say which pods they mean, and whether kustomize puts labels there where nothing stands
// (api/internal/konfig/builtinpluginconsts/commonlabels.go).
var selectors = map[string]struct {
	path  []string
	makes bool
}{
	"Service": {[]string{"spec", "selector"}, true}, "ReplicationController": {[]string{"spec", "selector"}, true},
	"Deployment": {[]string{"spec", "selector", "matchLabels"}, true}, "StatefulSet": {[]string{"spec", "selector", "matchLabels"}, true},
	"DaemonSet": {[]string{"spec", "selector", "matchLabels"}, true}, "ReplicaSet": {[]string{"spec", "selector", "matchLabels"}, true},
	"PodDisruptionBudget": {[]string{"spec", "selector", "matchLabels"}, false}, "NetworkPolicy": {[]string{"spec", "podSelector", "matchLabels"}, false},
}

// labelled is the object with the labels that a kustomization gives to all.
func labelled(o *object, f *source.File) *object {
	if o.made != nil || !f.At("labels").Set() && !f.At("commonLabels").Set() {
		return o
	}
	tree := o.Node()
	put := func(pairs source.Value, makes bool, path ...string) {
		at := tree
		for _, key := range path {
			next := at.Get(key)
			if !next.Is(source.Mapping) {
				if !makes {
					return
				}
				next = source.NewMapping(pairs.Node())
				at.Set(key, next)
			}
			at = next
		}
		for key, v := range pairs.Entries() {
			at.Set(key.Str(), v.Node())
		}
	}
	lay := func(pairs source.Value, made, selected bool) {
		if !pairs.Set() {
			return
		}
		put(pairs, true, "metadata", "labels")
		if where := templates[o.kind]; len(where) > 0 && made {
			put(pairs, true, append(slices.Clone(where), "metadata", "labels")...)
		}
		if where, ok := selectors[o.kind]; ok && selected {
			put(pairs, where.makes, where.path...)
		}
	}
	lay(f.At("commonLabels"), true, true)
	for _, v := range f.At("labels").Items() {
		selected := v.At("includeSelectors").True()
		lay(v.At("pairs"), selected || v.At("includeTemplates").True(), selected)
	}
	next := *o
	next.Value = source.Join(tree).Root()
	return &next
}

// repository is an image without its tag and digest.
func repository(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		ref = ref[:i]
	}
	return ref
}
