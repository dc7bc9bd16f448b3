package check

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// keyTrees has what was read of the known keys, by name.
var keyTrees sync.Map

// knownKeys are those of a file of component.KnownKeys.
func knownKeys(name string) source.Value {
	return keyTree(name, func() []byte { return component.KnownKeys(name) })
}

// networkKeys are those of the section network of a bridge on bridgev2.
func networkKeys(c *component.Component) source.Value {
	return keyTree("network of "+string(c.Program), func() []byte { return []byte(c.Bridge.Network) })
}

// keyTree reads known keys once.
func keyTree(name string, text func() []byte) source.Value {
	if v, ok := keyTrees.Load(name); ok {
		return v.(source.Value)
	}
	f, findings := finding.Parse(name, text())
	if len(findings) > 0 {
		panic(findings[0].Message)
	}
	keyTrees.Store(name, f.Root())
	return f.Root()
}

var scheme = regex.Of(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// valueTypes are those of a scalar, as a YAML 1.2 reader that converts nothing tells them apart: yes is a text.
var valueTypes = map[string]struct {
	words string
	fits  func(source.Value) bool
}{
	"any":  {"anything", source.Value.Exists},
	"str":  {"a text", source.Value.IsString},
	"bool": {"true or false", func(v source.Value) bool { _, ok := v.Any().(bool); return ok }},
	"int":  {"a whole number", isInt},
	"num":  {"a number", func(v source.Value) bool { _, ok := v.Any().(float64); return ok || isInt(v) }},
	"net":  {"a network such as 10.0.0.0/8", func(v source.Value) bool { return v.IsString() && isNetwork(v.Str()) }},
	"url":  {"a URL", func(v source.Value) bool { return v.IsString() && scheme().MatchString(v.Str()) }},
}

// isNetwork reads what the crate ipnetwork does: an address, alone or with the length of its prefix or a mask.
func isNetwork(s string) bool {
	address, length, prefixed := strings.Cut(s, "/")
	a, err := netip.ParseAddr(address)
	if err != nil || a.Zone() != "" {
		return false
	}
	n, err := strconv.ParseUint(length, 10, 8)
	if _, mask := netip.ParseAddr(length); prefixed && a.Is4() && mask == nil {
		return true
	}
	return !prefixed || err == nil && int(n) <= a.BitLen()
}

func isInt(v source.Value) bool {
	switch v.Any().(type) {
	case int, int64, uint64:
		return true
	}
	return false
}

// reading is how a program takes what it does not expect in its configuration.
type reading struct {
	d       *deployment.Deployment
	program string // as it is called in a sentence
	unknown string // what comes of a key that it does not know
	wrong   string // what comes of a value of the wrong type
	refused string // what comes of a text that is none of the words, where that is something else
	report  func(message string, fix mend, sites ...source.Site)
	ignored func(message string, fix mend, sites ...source.Site) // takes its place for a key that is not known, where that breaks nothing by itself
	// misplaced are keys whose name leads astray, by their path, and what to do about them.
	misplaced map[string]string
	// gather, if set, takes the keys that are not known and not mistyped, in the place of ignored: they are most likely of another release.
	gather func(place)
	// loose is a mapping below which the program takes a value of any kind, and goes by it only where it is of its own.
	loose string
	// passed are the places of values that are looked at elsewhere.
	passed []source.Pos
}

// place is a value of a configuration and what is known of it: absent for a key that is not known.
type place struct {
	value, known source.Value
	above        source.Value // what is known of the mapping that holds the value
	path         string
}

// visit calls f for every value below the place, and for itself, but for what stands below a key that is not
// known or may hold anything. A key without a value counts as left out.
func (p place) visit(f func(place)) {
	if !p.value.Set() {
		return
	}
	f(p)
	if p.known.Kind() == source.Sequence {
		for _, item := range p.value.Items() {
			place{value: item, known: p.known.At("0"), path: p.path + "[]"}.visit(f)
		}
	}
	if p.known.Kind() != source.Mapping {
		return
	}
	for k, v := range p.value.Entries() {
		next := place{value: v, known: p.known.At(k.Str()), above: p.known, path: strings.TrimPrefix(p.path+"."+k.Str(), ".")}
		if !next.known.Exists() {
			next.known = p.known.At("*")
		}
		// A person keeps anchors below keys that begin with x-.
		if k.Kind() == source.Scalar && !strings.HasPrefix(k.Str(), "x-") {
			next.visit(f)
		}
	}
}

// check holds a configuration, or a section of one, against what its program knows.
func (r reading) check(config place) {
	config.visit(func(p place) {
		switch {
		case slices.Contains(r.passed, p.value.Pos()):
		case !p.known.Exists():
			report := r.report
			if r.misplaced[p.path] == "" && r.ignored != nil {
				report = r.ignored
			}
			fix := r.renamed(config, p)
			if r.gather != nil && fix.text == removeIt {
				r.gather(p)
				return
			}
			report(r.program+" knows no "+p.path+"; "+r.unknown, fix, p.value.Site(""))
		case p.known.Kind() == source.Scalar:
			r.scalar(p)
		case p.known.Kind() != p.value.Kind():
			report, wrong, kind := r.report, r.wrong, p.known.Kind().String()
			if r.loose != "" && strings.HasPrefix(p.path, r.loose+".") {
				report, wrong = r.ignored, "what is meant by it does not hold"
			}
			report(p.path+" must be "+kind+", not "+described(p.value)+"; "+wrong, mend{text: "write " + kind}, p.value.Site(""))
		}
	})
}

func (r reading) scalar(p place) {
	words := wordsOf(p.known)
	if slices.ContainsFunc(words, func(word string) bool { return fits(word, p.value) }) || r.d.Misquoted(p.value.Pos()) {
		return
	}
	msg, consequence := p.path+" must be "+anyOf(words)+", not "+described(p.value), r.wrong
	if valueTypes[words[0]].fits == nil && p.value.IsString() {
		msg, consequence = p.path+" is none of "+strings.Join(words, ", "), cmp.Or(r.refused, r.wrong)
	}
	r.report(msg+"; "+consequence, retyped(words, p.value), p.value.Site(""))
}

// wordsOf gives the types or values that are known, without their releases.
func wordsOf(known source.Value) []string {
	words := strings.Split(known.Str(), "|")
	for i, w := range words {
		words[i], _, _ = strings.Cut(w, "@")
	}
	return words
}

// releases gives the release that first knew a word and the one that knows it no more; zero where there is
// none.
func releases(word string) (first, gone component.Version) {
	_, span, _ := strings.Cut(word, "@")
	from, to, _ := strings.Cut(span, "-")
	first, _ = component.Ref{Tag: from}.Version()
	gone, _ = component.Ref{Tag: to}.Version()
	return first, gone
}

func fits(word string, v source.Value) bool {
	word, _, _ = strings.Cut(word, "@")
	if t, ok := valueTypes[word]; ok {
		return t.fits(v)
	}
	return v.Str() == word
}

func anyOf(words []string) string {
	var texts []string
	for _, w := range words {
		texts = append(texts, cmp.Or(valueTypes[w].words, w))
	}
	return finding.Sentence(texts, "or")
}

// retyped is the value as it should be written, where what is meant can be told.
func retyped(words []string, v source.Value) mend {
	assign := func(val string) mend {
		fix := set(v, val)
		if _, err := strconv.Atoi(v.Name()); err == nil {
			fix.text = "- " + val
		}
		return fix
	}
	yes, isBool := v.Bool()
	quoted, err := strconv.ParseBool(v.Str())
	_, notInt := strconv.Atoi(v.Str())
	near := finding.Nearest(v.Str(), words)
	switch {
	case v.Kind() == source.Scalar && slices.Contains(words, "str"):
		return mend{"put it in quotes", func() []source.Edit { return inQuotes(v) }}
	case slices.Contains(words, "bool") && (isBool || err == nil):
		return assign(strconv.FormatBool(yes || quoted))
	case slices.Contains(words, "int") && notInt == nil:
		return assign(v.Str())
	case near != "" && valueTypes[near].fits == nil:
		return mend{text: assign(near).text} // a guess
	}
	return mend{text: "write " + anyOf(words)}
}

// described names what stands there without showing it, for it may be a secret.
func described(v source.Value) string {
	switch v.Any().(type) {
	case bool:
		return "true or false"
	case string:
		return "a text"
	case int, int64, uint64, float64:
		return "a number"
	}
	return v.Kind().String()
}

// removeIt is the fix for a key that is like none that is known: another release may well have it.
const removeIt = "remove it"

// renamed is what to do about a key that is not known: one that other programs know has a name of its own, which is certain.
func (r reading) renamed(config, p place) mend {
	told := r.misplaced[p.path]
	if name, ok := strings.CutPrefix(told, "rename it to "); ok {
		return mend{told, func() []source.Edit { return p.value.Renamed(name) }}
	}
	return mend{text: cmp.Or(told, renamed(config, p))}
}

// renamed is what to do about a key of the configuration that is not known where it stands.
func renamed(config, p place) string {
	key := p.value.Name()
	if near := finding.Nearest(key, keyNames(p.above)); near != "" {
		return "rename it to " + near
	}
	if places := placesOf(config.known, key, config.path); len(places) == 1 {
		return "move it to " + places[0]
	}
	return removeIt
}

func keyNames(v source.Value) []string {
	var keys []string
	for k := range v.Entries() {
		keys = append(keys, k.Str())
	}
	return keys
}

// placesOf gives the paths at which a key is known.
func placesOf(known source.Value, key, path string) []string {
	var places []string
	for _, item := range known.Items() {
		places = append(places, placesOf(item, key, path+"[]")...)
	}
	for k, v := range known.Entries() {
		below := strings.TrimPrefix(path+"."+k.Str(), ".")
		if k.Str() == key {
			places = append(places, below)
		}
		places = append(places, placesOf(v, key, below)...)
	}
	return places
}
