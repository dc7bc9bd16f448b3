package check

import (
	"cmp"
	"embed"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"

	"philipp.info/stackgen/pkg/source"
)

// keyFiles hold what each program reads of its configuration: a document of the same shape that has, in
// place of every value, the types it may have, with | between them. A word that names no type is itself the
// value; "*" is any key; the one item of a list stands for all.
//
//go:embed keys/*.yaml
var keyFiles embed.FS

// knownKeys reads keys/NAME.yaml.
func knownKeys(name string) source.Value {
	path := "keys/" + name + ".yaml"
	src, err := keyFiles.ReadFile(path)
	if err != nil {
		panic(err)
	}
	f, findings := source.Parse(path, src)
	if len(findings) > 0 {
		panic(findings[0].Message)
	}
	return f.Root()
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

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
	"url":  {"a URL", func(v source.Value) bool { return v.IsString() && scheme.MatchString(v.Str()) }},
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
	program string // as it is called in a sentence
	unknown string // what comes of a key that it does not know
	wrong   string // what comes of a value of the wrong type
	report  func(message, fix string, sites ...source.Site)
}

// check holds a configuration against what its program knows. A key without a value counts as left out, and
// one that begins with x- as the place where a person keeps an anchor.
func (r reading) check(known, config source.Value) {
	r.value(known, known, config, "")
}

func (r reading) value(all, known, v source.Value, path string) {
	switch {
	case !v.Set() || known.Str() == "any":
	case known.Kind() == source.Scalar:
		r.scalar(known, v, path)
	case known.Kind() != v.Kind():
		r.report(path+" must be "+known.Kind().String()+", not "+described(v)+"; "+r.wrong, "write "+known.Kind().String(), v.Site(""))
	case known.Kind() == source.Sequence:
		for _, item := range v.Items() {
			r.value(all, known.At("0"), item, path+"[]")
		}
	default:
		for k, entry := range v.Entries() {
			below := strings.TrimPrefix(path+"."+k.Str(), ".")
			next := known.At(k.Str())
			if !next.Exists() {
				next = known.At("*")
			}
			switch {
			case next.Exists():
				r.value(all, next, entry, below)
			case k.Kind() == source.Scalar && !strings.HasPrefix(k.Str(), "x-"):
				r.report(r.program+" knows no "+below+"; "+r.unknown, renamed(all, known, k.Str()), k.Site(""))
			}
		}
	}
}

func (r reading) scalar(known, v source.Value, path string) {
	words := strings.Split(known.Str(), "|")
	if slices.ContainsFunc(words, func(word string) bool { return fits(word, v) }) {
		return
	}
	msg := path + " must be " + anyOf(words) + ", not " + described(v)
	if valueTypes[words[0]].fits == nil && v.IsString() {
		msg = path + " is none of " + strings.Join(words, ", ")
	}
	r.report(msg+"; "+r.wrong, retyped(words, v), v.Site(""))
}

func fits(word string, v source.Value) bool {
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
	last := len(texts) - 1
	if last == 0 {
		return texts[0]
	}
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}

// retyped is the value as it should be written, where what is meant can be told.
func retyped(words []string, v source.Value) string {
	assign := func(val string) string {
		if _, err := strconv.Atoi(v.Name()); err == nil {
			return "- " + val
		}
		return v.Name() + ": " + val
	}
	yes, isBool := v.Bool()
	quoted, err := strconv.ParseBool(v.Str())
	_, notInt := strconv.Atoi(v.Str())
	near := nearest(v.Str(), words)
	switch {
	case v.Kind() == source.Scalar && slices.Contains(words, "str"):
		return "put it in quotes"
	case slices.Contains(words, "bool") && (isBool || err == nil):
		return assign(strconv.FormatBool(yes || quoted))
	case slices.Contains(words, "int") && notInt == nil:
		return assign(v.Str())
	case near != "" && valueTypes[near].fits == nil:
		return assign(near)
	}
	return "write " + anyOf(words)
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

// renamed is what to do about a key that is not known where it stands.
func renamed(all, known source.Value, key string) string {
	var here []string
	for k := range known.Entries() {
		here = append(here, k.Str())
	}
	if near := nearest(key, here); near != "" {
		return "rename it to " + near
	}
	if places := placesOf(all, key, ""); len(places) == 1 {
		return "move it to " + places[0]
	}
	return "remove it"
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

// nearest gives the candidate that differs from word by typing slips only; "" when none does.
func nearest(word string, candidates []string) string {
	const longest, alike = 64, 0.6
	best, near := alike, ""
	if len(word) > longest {
		return ""
	}
	for _, c := range candidates {
		if s := levenshtein.Similarity(strings.ToLower(word), strings.ToLower(c), nil); s >= best && c != word {
			best, near = s, c
		}
	}
	return near
}
