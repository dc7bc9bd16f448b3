package check_test

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/source"
)

// mutation is one change of one place in a rendered file.
type mutation struct {
	file, keys string // keys is the path of keys to the place
	line, last int    // 1-based; 0 where the whole file is one value. A dropped entry leaves the lines from its list on
	around     []int  // the lines of the keys and blocks that it stands in
	what       string
	data       string // the file with the change
	id         string // what it is a change of, in any tree
	object     [2]int // in a manifest: the first and the last line of the object
}

// word is what may stand in a second file: a name, a host, a port, a secret, as a whole or as a part of a
// URL, a regular expression or a command. An escaped dot is a dot.
var word = regexp.MustCompile(`[A-Za-z0-9_-]+(?:\\*\.[A-Za-z0-9_-]+)*`)

func plainWord(w string) string { return strings.ReplaceAll(w, `\`, "") }

// place is a scalar of a file, or a key.
type place struct {
	v     source.Value
	isKey bool
}

func places(f *source.File, chosen func(of, key source.Value) bool) []place {
	var ps []place
	var walk func(v source.Value)
	walk = func(v source.Value) {
		if v.Kind() == source.Scalar {
			ps = append(ps, place{v: v})
		}
		for _, item := range v.Items() {
			walk(item)
		}
		for k, val := range v.Entries() {
			if chosen(v, k) {
				ps = append(ps, place{v: k, isKey: true})
			}
			walk(val)
		}
	}
	walk(f.Root())
	return ps
}

// chosen reports whether a person chose the key: a service, a secret, a server or a user, but no setting.
func chosen(of, key source.Value) bool {
	return strings.ContainsAny(key.Str(), "@.") && of.Name() != "labels" || slices.Contains([]string{"services", "networks", "secrets"}, of.Path())
}

// lined are the files that are lines and no YAML. Of one for psql only what it is given is changed.
var lined = regexp.MustCompile(`^config/(caddy|nginx|coturn|haproxy|synapse-valkey)/|\.sql$`)

// mutations lists every change to be caught in the tree: each word of a scalar or key that stands in another
// file as well, each boolean, each number, and each entry of a list; of a file that is lines and no YAML each such word,
// and each line.
func mutations(t *testing.T, tree fstest.MapFS) []mutation {
	t.Helper()
	files := make(map[string]*source.File)
	holders := make(map[string]map[string]bool) // word -> files with a value that holds it
	for name, f := range tree {
		texts := []string{string(f.Data)}
		if parsed := structured(name, f); parsed != nil {
			files[name], texts = parsed, nil
			for _, p := range places(parsed, chosen) {
				if !p.isKey {
					texts = append(texts, p.v.Str())
				}
			}
		}
		for _, text := range texts {
			for _, w := range word.FindAllString(text, -1) {
				if holders[plainWord(w)] == nil {
					holders[plainWord(w)] = make(map[string]bool)
				}
				holders[plainWord(w)][name] = true
			}
		}
	}
	shared := func(w, file string) bool {
		others := len(holders[plainWord(w)])
		if holders[plainWord(w)][file] {
			others--
		}
		return others > 0
	}
	// outside leaves out what only the other files of the same program have, the words of its language.
	outside := func(w, file string) bool {
		kind := strings.Join(strings.SplitN(file, "/", 3)[:2], "/")
		return slices.ContainsFunc(slices.Collect(maps.Keys(holders[plainWord(w)])), func(name string) bool { return !strings.HasPrefix(name, kind) })
	}
	var ms []mutation
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		data := string(tree[name].Data)
		f := files[name]
		if f == nil {
			if strings.HasPrefix(name, "secrets/") {
				ms = append(ms, mutation{file: name, what: "another secret", data: data[:len(data)-1] + other(data[len(data)-1:])})
			}
			if lined.MatchString(name) {
				ms = append(ms, inLines(name, strings.SplitAfter(data, "\n"), func(w string) bool { return outside(w, name) })...)
			}
			continue
		}
		lines := strings.SplitAfter(data, "\n")
		for _, p := range places(f, chosen) {
			ms = append(ms, inPlace(name, lines, p, func(w string) bool { return shared(w, name) })...)
		}
		ms = append(ms, dropped(name, lines, f.Root())...)
	}
	alike := make(map[string]bool)
	return slices.DeleteFunc(named(ms), func(m mutation) bool {
		again := alike[m.id]
		alike[m.id] = alike[m.id] || strings.Contains(m.id, "WORKER") || acl.MatchString(m.keys)
		return again
	})
}

// named gives each mutation its id.
func named(ms []mutation) []mutation {
	for i, m := range ms {
		keys, in := index.ReplaceAllString(m.keys, ""), server.ReplaceAllString(m.what+" in "+m.id, "SERVER")
		if a := acl.FindString(keys); a != "" { // the next path of one kind of requests is one more of them
			keys, in = a, m.what
		}
		ms[i].id = worker.ReplaceAllString(strings.Join([]string{m.file, keys, in}, "#"), "WORKER")
	}
	return ms
}

// Where in a list something stands, and what the server is called, makes no other mutation of it. The services and files of workers
// come of one template.
var (
	index, server = regexp.MustCompile(`\.\d+`), regexp.MustCompile(`philipp\\*\.info|example\\*\.org`)
	acl           = regexp.MustCompile(`^acl \S+`)
	worker        = regexp.MustCompile(`(config/workers/|/workers/|synapse-)[a-z-]+1\b`)
)

// structured parses the files that are YAML or JSON.
func structured(name string, f *fstest.MapFile) *source.File {
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json", ".config":
		parsed, _ := source.Parse(name, f.Data)
		return parsed
	}
	return nil
}

// inPlace changes one scalar or key: a boolean is flipped, a number raised, and every word that counts is
// replaced in turn.
func inPlace(name string, lines []string, p place, counts func(string) bool) []mutation {
	pos := p.v.Pos()
	line := lines[pos.Line-1]
	lead := string([]rune(line)[:pos.Col-1])
	text := line[len(lead):]
	keys := p.v.Path()
	var ms []mutation
	add := func(what string, from, to int, with string) {
		changed := slices.Clone(lines)
		changed[pos.Line-1] = lead + text[:from] + with + text[to:]
		ms = append(ms, mutation{file: name, keys: keys, line: pos.Line, last: pos.Line, around: around(lines, pos.Line), what: what, data: strings.Join(changed, ""), id: line})
	}
	if b, ok := p.v.Bool(); ok && !p.isKey {
		add("flipped", 0, len(p.v.Str()), strconv.FormatBool(!b))
		return ms
	}
	end := len(p.v.Str())
	if !p.v.Plain() {
		end = quotedEnd(text)
	}
	for _, at := range word.FindAllStringIndex(text[:min(end, len(text))], -1) {
		// The scheme of a URL is not what two files have in common.
		if w := text[at[0]:at[1]]; counts(w) && !strings.HasPrefix(text[at[1]:], "://") {
			add(fmt.Sprintf("%s is changed", describe(w)), at[0], at[1], other(w))
		}
	}
	return ms
}

// inLines changes each word that counts, and drops each line that opens or closes nothing. Of a script for psql it is the
// words that the script is given: names, and the files of passwords.
func inLines(name string, lines []string, counts func(string) bool) []mutation {
	var ms []mutation
	for i, line := range lines {
		sql := path.Ext(name) == ".sql"
		text := strings.TrimSpace(line)
		if text == "" || text[0] == '#' || sql && !strings.HasPrefix(text, `\set `) {
			continue
		}
		put := func(what, with string) {
			changed := slices.Clone(lines)
			changed[i] = with
			ms = append(ms, mutation{file: name, keys: text, line: i + 1, last: i + 1, around: around(lines, i+1), what: what, data: strings.Join(changed, ""), id: line})
		}
		for n, at := range word.FindAllStringIndex(line, -1) {
			first := n == 0 || sql && n == 1
			if w := line[at[0]:at[1]]; !first && w != "cat" && counts(w) && !strings.HasPrefix(line[at[1]:], "://") {
				put(describe(w)+" is changed", line[:at[0]]+other(w)+line[at[1]:])
			}
		}
		if !sql && !strings.ContainsAny(text[len(text)-1:], "{}") {
			put("dropped", "")
		}
	}
	return ms
}

// around are the lines that are indented less, above the line: what it stands in. The outermost, such as "services", is none.
func around(lines []string, line int) (list []int) {
	depth := func(i int) int { return len(lines[i-1]) - len(strings.TrimLeft(lines[i-1], " \t")) }
	in := depth(line)
	for i := line - 1; i > 0 && in > 0; i-- {
		if text := strings.TrimSpace(lines[i-1]); text != "" && text[0] != '#' && depth(i) < in {
			in = depth(i)
			if in > 0 || strings.HasSuffix(text, "{") {
				list = append(list, i)
			}
		}
	}
	return list
}

// describe names a word without showing a secret.
func describe(w string) string {
	if strings.Contains(w, placeholder) || len(w) > 24 {
		return "a secret"
	}
	return w
}

func quotedEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[0] == '"':
			i++
		case text[i] == text[0]:
			return i
		}
	}
	return len(text)
}

// other is a word of the same kind: a number stays a number, a name a name.
func other(w string) string {
	if n, err := strconv.Atoi(w); err == nil {
		return strconv.Itoa(n + 1)
	}
	at := len(strings.TrimRight(w, "_-")) - 1
	if at < 0 {
		return w + "x"
	}
	c := w[at] + 1
	if strings.ContainsRune("9zZfF", rune(w[at])) {
		c = w[at] - 1
	}
	return w[:at] + string(c) + w[at+1:]
}

// dropped removes each entry of each list.
func dropped(name string, lines []string, v source.Value) []mutation {
	var ms []mutation
	for _, item := range v.Items() {
		ms = append(ms, mutation{
			file: name, keys: item.Path(), line: v.KeyPos().Line, last: item.Pos().Line, around: around(lines, v.KeyPos().Line), what: "dropped", data: without(lines, item.Pos()), id: lines[item.Pos().Line-1],
		})
		ms = append(ms, dropped(name, lines, item)...)
	}
	for _, val := range v.Entries() {
		ms = append(ms, dropped(name, lines, val)...)
	}
	return ms
}

// without is the text without the list entry that begins at pos.
func without(lines []string, pos source.Pos) string {
	lines = slices.Clone(lines)
	line := lines[pos.Line-1]
	lead := string([]rune(line)[:pos.Col-1])
	if dash := strings.TrimRight(lead, " "); strings.HasSuffix(dash, "-") {
		lines[pos.Line-1] = ""
		for i := pos.Line; i < len(lines) && strings.HasPrefix(lines[i], strings.Repeat(" ", len(dash))); i++ {
			lines[i] = ""
		}
		return strings.Join(lines, "")
	}
	rest := line[len(lead):]
	end := flowEnd(rest)
	if rest[end] == ',' {
		rest = strings.TrimLeft(rest[end+1:], " ")
	} else {
		lead, rest = strings.TrimRight(lead, ", "), rest[end:]
	}
	lines[pos.Line-1] = lead + rest
	return strings.Join(lines, "")
}

// flowEnd is where an entry of a list in brackets ends.
func flowEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			i += quotedEnd(text[i:])
		case c == '[' || c == '{':
			depth++
		case depth == 0 && (c == ',' || c == ']'):
			return i
		case c == ']' || c == '}':
			depth--
		}
	}
	return len(text) - 1
}
