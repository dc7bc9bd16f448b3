package main

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	heading = regexp.MustCompile("^### `([^`]+)`")
	option  = regexp.MustCompile("^( *)\\* `([^`]+)` \\(([a-z|]+)\\):")
	kindOf  = regexp.MustCompile(`^\*\(([a-z|]+)\)\*`)
	preset  = regexp.MustCompile("Defaults to `([^`]*)`")
	readTop = regexp.MustCompile(`\bconfig\.(?:get|pop)\(\s*"(\w+)"`)
)

// readSynapse reads the documentation of the configuration, which Synapse makes from its schema and which is in its
// source distribution when the schema is not, and the code beside it.
func readSynapse(files map[string][]byte) (config, error) {
	c := config{keys: make(map[string]string)}
	for name, src := range files {
		if strings.HasPrefix(name, "docs/") {
			readOptions(string(src), c.keys)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) != ".py" {
			continue
		}
		if strings.HasPrefix(name, "synapse/config/") {
			for _, m := range readTop.FindAllSubmatch(files[name], -1) {
				if key := string(m[1]); !has(c.keys, key) {
					c.keys[key] = ""
				}
			}
		}
		for _, text := range raised(string(files[name])) {
			c.refusals = append(c.refusals, name+": "+text)
		}
	}
	return c, nil
}

func has(keys map[string]string, key string) bool { _, ok := keys[key]; return ok }

// readOptions adds the options that the documentation lists below each heading, by their indentation.
func readOptions(text string, keys map[string]string) {
	var above []string // the path at each depth
	set := func(depth int, key string) {
		above = append(above[:depth], key)
		keys[strings.Join(above, ".")] = ""
	}
	for line := range strings.Lines(text) {
		if m := heading.FindStringSubmatch(line); m != nil {
			above = nil
			set(0, m[1])
		}
		if m := kindOf.FindStringSubmatch(line); m != nil && len(above) == 1 && strings.Contains(m[1], "array") {
			above[0] += "[]" // what is below it stands in each entry
		}
		if m := option.FindStringSubmatch(line); m != nil && len(above) > 0 {
			depth := min(len(m[1])/2+1, len(above))
			set(depth, m[2])
			if strings.Contains(m[3], "array") {
				above[depth] += "[]"
			}
		}
		if m := preset.FindStringSubmatch(line); m != nil && len(above) > 0 {
			key := strings.TrimSuffix(strings.Join(above, "."), "[]")
			if keys[key] == "" {
				keys[key] = m[1]
			}
		}
	}
}

var (
	raise   = regexp.MustCompile(`\b(?:ConfigError|ValueError|KeyError|TypeError)\(`)
	literal = regexp.MustCompile(`^\s*[rf]*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')`)
)

// raised lists the texts of the errors that Python code raises, as they stand there.
func raised(src string) []string {
	var texts []string
	for _, at := range raise.FindAllStringIndex(src, -1) {
		var text strings.Builder
		for rest := src[at[1]:]; ; {
			m := literal.FindStringSubmatch(rest)
			if m == nil {
				break
			}
			text.WriteString(m[1] + m[2])
			rest = rest[len(m[0]):]
		}
		if text.Len() > 0 && !slices.Contains(texts, text.String()) {
			texts = append(texts, text.String())
		}
	}
	return texts
}
