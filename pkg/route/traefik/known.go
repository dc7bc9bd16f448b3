package traefik

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/source"
)

// static.yaml has the keys of the static configuration, in the shape that its head describes.
//
//go:embed static.yaml
var staticKeys []byte

var staticTable = sync.OnceValue(func() source.Value {
	f, problem := source.Parse("static.yaml", staticKeys)
	if problem != nil {
		panic(problem.Message)
	}
	return f.Root()
})

// Version is major, minor and patch of a release of Traefik.
type Version [3]int

// NewestKnown is the release up to which the keys of the static configuration are known.
var NewestKnown = Version{3, 7, 13}

// Before orders releases.
func (v Version) Before(w Version) bool { return slices.Compare(v[:], w[:]) < 0 }

// String gives major.minor.patch.
func (v Version) String() string {
	return strconv.Itoa(v[0]) + "." + strconv.Itoa(v[1]) + "." + strconv.Itoa(v[2])
}

// Lookup is what a release knows of a key.
type Lookup struct {
	// Known says that the release has the key; Takes is then bool, int, str or any, and "" for a section.
	Known bool
	Takes string
	// Alone says that a section may stand there without anything below it.
	Alone bool
	// Part is the path up to the name that is not known, Above the one before.
	Part, Above string
	// Near are the names that the release has there.
	Near []string
	// Since is the first later release that has the key, Gone the first that had it no more. Zero when there is none.
	Since, Gone Version
}

// Root reports whether the unknown name stands at the top.
func (l Lookup) Root() bool { return l.Above == "" }

// Find looks for a key, in any case, among those of a release.
func Find(key string, v Version) Lookup {
	at, above := staticTable(), ""
	for rest := key; ; {
		name, more := first(rest)
		if at.Kind() == source.Sequence {
			at = at.At("0")
		}
		if at.Kind() == source.Scalar {
			// What is somebody else's below it, such as a plugin's, is any.
			return Lookup{Known: kindOf(at) == "any", Takes: "any", Part: strings.TrimPrefix(above+"."+name, "."), Above: above}
		}
		next := child(at, name)
		part := strings.TrimPrefix(above+"."+name, ".")
		spans := spansOf(next)
		if !slices.ContainsFunc(spans, func(s span) bool { return s.has(v) }) {
			l := Lookup{Part: part, Above: above}
			for _, s := range spans {
				if v.Before(s.from) && (l.Since == Version{} || s.from.Before(l.Since)) {
					l.Since = s.from
				}
				if s.to != (Version{}) && !v.Before(s.to) && l.Gone.Before(s.to) {
					l.Gone = s.to
				}
			}
			for k, val := range at.Entries() {
				if k.Str() != "*" && k.Str() != "" && slices.ContainsFunc(spansOf(val), func(s span) bool { return s.has(v) }) {
					l.Near = append(l.Near, k.Str())
				}
			}
			return l
		}
		if more == "" {
			own := next.At("")
			// Whoever chooses the name of a section may leave it empty.
			alone := at.At("*").Exists() || slices.ContainsFunc(spansOf(own), func(s span) bool { return s.has(v) })
			return Lookup{Known: true, Takes: kindOf(next), Alone: alone || next.Kind() != source.Mapping}
		}
		at, above, rest = next, part, more
	}
}

// Places are the paths of the keys that a release calls so, in any case, other than names that people choose.
func Places(name string, v Version) []string { return placesIn(staticTable(), "", name, v) }

func placesIn(at source.Value, path, name string, v Version) (places []string) {
	if at.Kind() == source.Sequence {
		at = at.At("0")
	}
	for k, val := range at.Entries() {
		if !slices.ContainsFunc(spansOf(val), func(s span) bool { return s.has(v) }) {
			continue
		}
		part := strings.TrimPrefix(path+"."+strings.ReplaceAll(k.Str(), "*", "NAME"), ".")
		if strings.EqualFold(k.Str(), name) {
			places = append(places, part)
		}
		if val.Kind() != source.Scalar {
			places = append(places, placesIn(val, part, name, v)...)
		}
	}
	return places
}

func child(at source.Value, name string) (found source.Value) {
	for k, val := range at.Entries() {
		if strings.EqualFold(k.Str(), name) && name != "*" {
			return val
		}
		if k.Str() == "*" {
			found = val
		}
	}
	return found
}

// kindOf is what a key takes; "" for a section.
func kindOf(v source.Value) string {
	switch v.Kind() {
	case source.Scalar:
		word, _, _ := strings.Cut(v.Str(), "@")
		return word
	case source.Sequence:
		return "any"
	default:
		return ""
	}
}

// span is a run of releases, from the first on that has a key, and before the one that has it no more.
type span struct{ from, to Version }

func (s span) has(v Version) bool { return !v.Before(s.from) && (s.to == Version{} || v.Before(s.to)) }

// spansOf are the releases that know a key or one below it.
func spansOf(v source.Value) (spans []span) {
	switch v.Kind() {
	case source.Mapping:
		for _, val := range v.Entries() {
			spans = append(spans, spansOf(val)...)
		}
	case source.Sequence:
		return spansOf(v.At("0"))
	case source.Scalar:
		for word := range strings.SplitSeq(v.Str(), "|") {
			_, releases, _ := strings.Cut(word, "@")
			from, to, _ := strings.Cut(releases, "-")
			spans = append(spans, span{number(from), number(to)})
		}
	default:
	}
	return spans
}

func number(text string) (v Version) {
	if text == "" {
		return v
	}
	for i, word := range strings.SplitN(text, ".", len(v)) {
		v[i], _ = strconv.Atoi(word)
	}
	return v
}

// alone reports whether a flag needs no value.
func alone(key string) bool {
	l := Find(key, NewestKnown)
	return l.Known && (l.Takes == "bool" || l.Takes == "")
}

// rooted reports whether a variable without its TRAEFIK_ begins with the name of a section. Traefik does not look
// whether the name ends there.
func rooted(name string) bool {
	for k := range staticTable().Entries() {
		if strings.HasPrefix(name, strings.ToUpper(k.Str())) {
			return true
		}
	}
	return false
}
