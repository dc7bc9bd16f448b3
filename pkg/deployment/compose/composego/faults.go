package composego

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
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

// fault is a message of compose-go. Where it names no place, at are the paths of what it is about, in each service that it is true of.
type fault struct {
	msg string
	at  [][]string
}

// faults are all that compose-go refuses in a project, in the order of the services. It stops at the first, and goes
// through services and their networks in any order: so each service is judged alone, and a fault is taken out before the next one is
// looked for. None where the content cannot be taken apart.
func faults(p *compose.Project, content []byte, load func(content []byte) error) (all []fault) {
	f, _ := source.Parse(p.File.Path, content)
	whole, ok := f.Root().Any().(map[string]any)
	if !ok {
		return nil
	}
	services, _ := whole["services"].(map[string]any)
	told := make(map[string]int)
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
			causes := causesOf(key, msg)
			if causes == nil {
				causes = []cause{{text: about, msg: msg}}
			}
			ok := false
			for _, c := range causes {
				i, before := told[c.text]
				if !before {
					i = len(all)
					told[c.text] = i
					all = append(all, fault{msg: c.msg})
				}
				if c.within == nil {
					ok = without(part, key, msg)
				} else if rest, at := narrowed(part, c, load); at != nil {
					all[i].at, part, ok = append(all[i].at, at), rest, true
				}
			}
			if !ok {
				break
			}
		}
	}
	return all
}

// cause is one thing that a message of compose-go says: the words of it that are gone once it is mended, what to tell of it, and the
// part of the project that it is within.
type cause struct {
	text, msg string
	within    []string
}

// decoding is what a message says of a part that it cannot decode: 'services[synapse].command' and why.
var decoding = regex.Of(`^'services\[([^\]]+)\]([^']*)' (.*)$`)

// causesOf are the several that one message tells of what cannot be decoded, and the one that names no place. None of any other message.
func causesOf(key, msg string) (list []cause) {
	for line := range strings.SplitSeq(msg, "\n") {
		if g := decoding().FindStringSubmatch(line); g != nil {
			within := append([]string{"services", g[1]}, strings.FieldsFunc(g[2], func(r rune) bool { return strings.ContainsRune(".[]", r) })...)
			list = append(list, cause{line, strings.Join(within, ".") + ": " + g[3], within})
		}
	}
	if list == nil && !composePath().MatchString(msg) {
		list = []cause{{msg, msg, []string{"services", key}}}
	}
	return list
}

// narrowed finds the least part of a project without which a cause is gone, where it is gone without no other beside that. rest is the
// project without it; of a list without the list, for the others keep their numbers, or with something right in its place. No path where
// nothing of the service alone makes a difference.
func narrowed(part map[string]any, c cause, load func(content []byte) error) (rest map[string]any, at []string) {
	at = c.within
	for {
		var found []string
		for _, child := range children(part, at) {
			src, err := json.Marshal(cut(part, append(slices.Clone(at), child)))
			if err != nil {
				return nil, nil
			}
			if err = load(src); err == nil || !strings.Contains(err.Error(), c.text) {
				found = append(found, child)
			}
		}
		if len(found) != 1 {
			break
		}
		at = append(slices.Clone(at), found[0])
	}
	if len(at) < 3 {
		return nil, nil
	}
	if right := rightFor(at); right != "" {
		rest, _ = put(part, at[:4], right).(map[string]any)
	} else {
		rest, _ = cut(part, at[:3]).(map[string]any)
	}
	return rest, at
}

// rightFor is what Compose takes in the place of one entry of a list, and has no second time; "" where that is not known.
func rightFor(at []string) string {
	if len(at) < 4 {
		return ""
	}
	i, err := strconv.Atoi(at[3])
	switch {
	case err != nil:
		return ""
	case at[2] == "ports":
		return strconv.Itoa(60000 + i)
	case at[2] == "environment":
		return "STACKGEN_" + at[3] + "=x"
	}
	return ""
}

// children are the keys or numbers of what is at a path, of which there are not too many to try.
func children(v any, at []string) (names []string) {
	for _, step := range at {
		switch of := v.(type) {
		case map[string]any:
			v = of[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(of) {
				return nil
			}
			v = of[i]
		}
	}
	switch of := v.(type) {
	case map[string]any:
		names = slices.Sorted(maps.Keys(of))
	case []any:
		for i := range of {
			names = append(names, strconv.Itoa(i))
		}
	}
	if len(names) > mostServices {
		return nil
	}
	return names
}

// cut is a copy without what is at a path.
func cut(v any, at []string) any { return put(v, at, nil) }

// put is a copy with another value at a path, or without what is there where that is nil.
func put(v any, at []string, to any) any {
	if len(at) == 0 {
		return to
	}
	last := len(at) == 1 && to == nil
	switch of := v.(type) {
	case map[string]any:
		of = maps.Clone(of)
		if last {
			delete(of, at[0])
		} else {
			of[at[0]] = put(of[at[0]], at[1:], to)
		}
		return of
	case []any:
		i, err := strconv.Atoi(at[0])
		if err != nil || i >= len(of) {
			return v
		}
		of = slices.Clone(of)
		if last {
			return slices.Delete(of, i, i+1)
		}
		of[i] = put(of[i], at[1:], to)
		return of
	}
	return v
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
