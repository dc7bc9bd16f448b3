package project

import (
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/source"
)

// rule is what Compose does at one place of the tree. The zero rule is that of every place it says nothing of: mappings are
// merged key by key, lists appended, all else replaced.
type rule struct {
	// merge lays over onto base; at is the rule of the place.
	merge func(r *reader, base, over *source.Node, at *rule) *source.Node
	// keys tell the items of a list apart: of two with one key the later counts. An item may stand for several.
	keys func(item *source.Node) []string
	// rebase makes relative paths lead from where dir does.
	rebase func(n *source.Node, dir string)

	below map[string]*rule
}

// at is the rule below a key or, for every item of a list, "*".
func (r *rule) at(key string) *rule {
	if next := r.below[key]; next != nil {
		return next
	}
	if next := r.below["*"]; next != nil {
		return next
	}
	return nowhere
}

var nowhere = &rule{}

// top is the rule of the whole tree.
var top = &rule{}

// The tables are those of compose-go v2.16.2: override/merge.go, override/uncity.go, paths/resolve.go. A test holds them
// against what compose-go does at every place of its schema.
var fillTop = sync.OnceFunc(func() {
	for _, prefix := range []string{"services.*.", "jobs.*."} {
		for path, merge := range workloads {
			place(prefix + path).merge = merge
		}
		for path, rebase := range relative {
			place(prefix + path).rebase = rebase
			if prefix == "services.*." && !strings.HasPrefix(path, "build.") && path != "extends" {
				place(prefix + "pre_start.*." + path).rebase = rebase
			}
		}
	}
	for path, keys := range unique {
		place("services.*." + path).keys = keys
	}
	place("services.*.deploy.labels").merge = mergeKeyed
	place("services.*.develop.watch.*.path").rebase = rebasePath
	place("networks.*.labels").keys = keyOf
	place("networks.*.ipam.options").keys = keyOf
	place("networks.*.ipam.config").merge = mergeIPAM
	for _, section := range []string{"networks", "volumes", "secrets", "configs"} {
		place(section + ".*.labels").merge = mergeKeyed
	}
	place("configs.*.file").rebase = rebasePath
	place("secrets.*.file").rebase = rebasePath
	place("volumes.*").rebase = rebaseDriver
})

// place is the rule of a dotted path, made where there is none.
func place(path string) *rule {
	r := top
	for key := range strings.SplitSeq(path, ".") {
		if r.below == nil {
			r.below = make(map[string]*rule)
		}
		if r.below[key] == nil {
			r.below[key] = &rule{}
		}
		r = r.below[key]
	}
	return r
}

type merger = func(*reader, *source.Node, *source.Node, *rule) *source.Node

var workloads = map[string]merger{
	"annotations":               mergeKeyed,
	"build":                     mergeBuild,
	"build.args":                mergeKeyed,
	"build.additional_contexts": mergeKeyed,
	"build.extra_hosts":         mergeList,
	"build.labels":              mergeKeyed,
	"command":                   replace,
	"depends_on":                mergeDependsOn,
	"dns":                       mergeList,
	"dns_opt":                   mergeList,
	"dns_search":                mergeList,
	"entrypoint":                replace,
	"env_file":                  mergeList,
	"label_file":                mergeList,
	"environment":               mergeKeyed,
	"extra_hosts":               mergeList,
	"healthcheck.test":          replace,
	"labels":                    mergeKeyed,
	"logging":                   mergeLogging,
	"models":                    mergeNames,
	"networks":                  mergeNames,
	"sysctls":                   mergeKeyed,
	"tmpfs":                     mergeList,
	"ulimits.*":                 mergeUlimit,
	"volumes.*.volume.labels":   mergeKeyed,
}

var unique = map[string]func(*source.Node) []string{
	"annotations":               keyOf,
	"build.args":                keyOf,
	"build.additional_contexts": keyOf,
	"build.tags":                keyOf,
	"build.labels":              keyOf,
	"cap_add":                   keyOf,
	"cap_drop":                  keyOf,
	"configs":                   targetBelow("/"),
	"deploy.labels":             keyOf,
	"devices":                   deviceTarget,
	"dns":                       keyOf,
	"dns_opt":                   keyOf,
	"dns_search":                keyOf,
	"environment":               keyOf,
	"env_file":                  pathOf,
	"expose":                    textOf,
	"labels":                    keyOf,
	"links":                     keyOf,
	"networks.*.aliases":        keyOf,
	"networks.*.link_local_ips": keyOf,
	"ports":                     portsOf,
	"profiles":                  keyOf,
	"secrets":                   targetBelow("/run/secrets/"),
	"sysctls":                   keyOf,
	"tmpfs":                     keyOf,
	"volumes":                   volumeTarget,
}

var relative = map[string]func(*source.Node, string){
	"build":      rebaseBuild,
	"env_file":   rebaseList,
	"label_file": rebaseList,
	"extends":    rebaseExtends,
	"volumes.*":  rebaseVolume,
}
