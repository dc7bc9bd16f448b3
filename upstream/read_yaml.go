package main

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func parse(name string, src []byte) (source.Value, error) {
	f, findings := finding.Parse(name, src)
	if len(findings) > 0 {
		return source.Value{}, fmt.Errorf("%s:%s: %s", name, findings[0].Pos(), findings[0].Message)
	}
	return f.Root(), nil
}

// filledIn stands in mautrix-go's example for what each bridge has of its own.
var filledIn = regexp.MustCompile(`\$<<.*?>>`)

// readExample reads the keys and defaults of an example configuration, and what the Go files beside it refuse.
func readExample(files map[string][]byte) (config, error) {
	c := config{keys: make(map[string]string)}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		switch path.Ext(name) {
		case ".yaml":
			if len(bytes.TrimSpace(files[name])) == 0 {
				continue // a bridge without options of its own
			}
			root, err := parse(name, filledIn.ReplaceAll(files[name], []byte("0")))
			if err != nil {
				return c, err
			}
			addExample(root, nil, c.keys)
		case ".go":
			texts, err := refusedIn(name, files[name])
			if err != nil {
				return c, err
			}
			c.refusals = append(c.refusals, texts...)
		}
	}
	return c, nil
}

func addExample(v source.Value, at []string, keys map[string]string) {
	for k, below := range v.Entries() {
		path := append(slices.Clone(at), k.Str())
		keys[strings.Join(path, ".")] = ""
		if below.Kind() == source.Mapping && below.Len() > 0 {
			addExample(below, path, keys)
			continue
		}
		keys[strings.Join(path, ".")] = below.Flow()
	}
}

// schema is a JSON Schema that is walked. open are the references on the way, so that one that holds itself ends.
type schema struct {
	root source.Value
	open map[string]bool
	config
}

// readSchema reads the keys and defaults of a JSON Schema, and the keys that it wants.
func readSchema(files map[string][]byte) (config, error) {
	for name, src := range files {
		root, err := parse(name, src)
		if err != nil {
			return config{}, err
		}
		s := schema{root: root, open: make(map[string]bool), config: config{keys: make(map[string]string)}}
		s.walk(root, "")
		slices.Sort(s.required)
		s.required = slices.Compact(s.required)
		return s.config, nil
	}
	return config{}, nil
}

var presetWords = regexp.MustCompile(`(?s)Defaults? to\s+(.+?)(?:\.\s|\.$|$)`)

func (s *schema) walk(v source.Value, at string) {
	if ref := v.At("$ref").Str(); ref != "" {
		if s.open[ref] {
			return
		}
		s.open[ref] = true
		defer delete(s.open, ref)
		s.walk(s.root.At(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...), at)
	}
	for _, of := range []string{"oneOf", "anyOf", "allOf"} {
		for _, alternative := range v.At(of).Items() {
			s.walk(alternative, at)
		}
	}
	for k, below := range v.At("properties").Entries() {
		s.key(at, k.Str(), below)
	}
	for _, below := range v.At("patternProperties").Entries() {
		s.key(at, "*", below)
	}
	if below := v.At("additionalProperties"); below.Kind() == source.Mapping {
		s.key(at, "*", below)
	}
	if items := v.At("items"); items.Exists() && at != "" {
		s.walk(items, at+"[]")
	}
	for _, key := range v.At("required").Items() {
		s.required = append(s.required, join(at, key.Str()))
	}
}

func (s *schema) key(at, name string, v source.Value) {
	// x- is for whoever keeps the file.
	if strings.HasPrefix(name, "x-") {
		return
	}
	path := join(at, name)
	preset := ""
	if d := v.At("default"); d.Exists() {
		preset = d.Flow()
	} else if m := presetWords.FindStringSubmatch(v.At("description").Str()); m != nil {
		preset = strings.Join(strings.Fields(m[1]), " ")
	}
	if s.keys[path] == "" {
		s.keys[path] = preset
	}
	s.walk(v, path)
}

func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }
