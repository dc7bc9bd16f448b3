package composego

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/schema"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// mostFaults bounds what is looked for beside the first fault: services of a file, and faults of each of them.
const mostFaults, mostServices = 20, 100

// faults are the messages of all that compose-go refuses in a project, in the order of the services. It stops at the first, and goes
// through services and their networks in any order: so each service is judged alone, and a fault is taken out before the next one is
// looked for. None where the content cannot be taken apart.
func faults(p *compose.Project, content []byte, load func(content []byte) error) (all []string) {
	f, _ := source.Parse(p.File.Path, content)
	whole, ok := f.Root().Any().(map[string]any)
	if !ok {
		return nil
	}
	services, _ := whole["services"].(map[string]any)
	told := make(map[string]bool)
	n := 0
	for name := range f.At("services").Entries() {
		key := name.Str()
		if n++; n > mostServices {
			break
		}
		part := maps.Clone(whole)
		part["services"] = withStubs(services, key)
		for range mostFaults {
			src, err := json.Marshal(part)
			if err != nil {
				return nil
			}
			if err = load(src); err == nil {
				break
			}
			msg := err.Error()
			about, _, _ := undefined(p, msg)
			if !told[about] {
				told[about] = true
				all = append(all, msg)
			}
			if !without(part, key, msg) {
				break
			}
		}
	}
	return all
}

// withStubs is one service, with something in the place of those that it names.
func withStubs(services map[string]any, key string) map[string]any {
	some := map[string]any{key: services[key]}
	var name func(v any)
	stub := func(text string) {
		text = strings.TrimPrefix(text, "service:")
		text, _, _ = strings.Cut(text, ":")
		if _, ok := services[text]; ok && text != key {
			some[text] = map[string]any{"image": "x"}
		}
	}
	name = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, val := range v {
				stub(k)
				name(val)
			}
		case []any:
			for _, item := range v {
				name(item)
			}
		case string:
			stub(v)
		}
	}
	name(services[key])
	return some
}

var (
	refusedAt = regex.Of(`\bservices\.(\S+)`)
	imageless = regex.Of(`has neither an image nor a build context`)
)

// without takes a fault out of a project with one service, so that the next one shows; ok is false where that cannot be done.
func without(part map[string]any, key, msg string) (ok bool) {
	if g := undefinedName().FindStringSubmatch(msg); g != nil {
		kind := g[2] + "s"
		defined, _ := part[kind].(map[string]any)
		if _, there := defined[g[3]]; there {
			return false
		}
		defined = maps.Clone(defined)
		if defined == nil {
			defined = make(map[string]any)
		}
		defined[g[3]] = map[string]map[string]any{
			"services": {"image": "x"}, "secrets": {"environment": "X"}, "configs": {"content": "x"}, "networks": {}, "volumes": {},
		}[kind]
		part[kind] = defined
		return true
	}
	services := part["services"].(map[string]any)
	of, isMapping := services[key].(map[string]any)
	if !isMapping {
		return false
	}
	of = maps.Clone(of)
	services[key] = of
	if imageless().MatchString(msg) {
		of["image"] = "x"
		return true
	}
	g := refusedAt().FindStringSubmatch(msg)
	if g == nil {
		return false
	}
	rest, inside := strings.CutPrefix(g[1], key+".")
	if !inside {
		return false
	}
	first, _, _ := strings.Cut(rest, ".")
	val, there := of[first]
	if !there {
		return false
	}
	delete(of, first)
	if near := meant(msg); near != "" && of[near] == nil {
		of[near] = val
	}
	return true
}

// serviceKeys are those that a service may have.
var serviceKeys = sync.OnceValue(func() (keys []string) {
	var all struct {
		Defs map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(schema.Schema), &all); err != nil {
		panic(err) // it is part of compose-go
	}
	for _, name := range []string{"service", "container_spec", "workload_spec"} {
		keys = slices.AppendSeq(keys, maps.Keys(all.Defs[name].Properties))
	}
	slices.Sort(keys)
	return keys
})

// meant is the key of a service that one which Compose does not know was most likely to be; "" where there is none.
func meant(msg string) string {
	g := unknownKey().FindStringSubmatch(msg)
	if g == nil {
		return ""
	}
	return finding.Nearest(g[1], serviceKeys())
}

var unknownKey = regex.Of(`\bservices\.[^. ]+\.([A-Za-z_]+) false schema`)
