package spec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func (d *decoder) unknown(key source.Value, known []string) {
	fix := "the known keys here are " + strings.Join(known, ", ")
	if n := finding.Nearest(key.Str(), known); n != "" {
		fix = fmt.Sprintf("did you mean %s? %s", n, fix)
	} else if _, top := fieldsOf(reflect.TypeFor[Spec]())[key.Str()]; top {
		fix = key.Str() + " belongs to the whole stack: move it to the left margin"
	} else if section := sectionOf(key.Str()); section != "" && len(key.Keys()) == 1 {
		fix = fmt.Sprintf("%s belongs to %s: put two spaces before it, below `%s:`", key.Str(), section, section)
	}
	if _, fancy := bare(key.Str()); fancy && key.Plain() {
		return // that is said already
	}
	d.fail(key, fmt.Sprintf("unknown key %s%s", quote(key.Str()), in(key)), fix)
}

// sectionOf is the one section of a spec that knows the key; "" when none does, or several.
func sectionOf(key string) string {
	found := ""
	for name, f := range fieldsOf(reflect.TypeFor[Spec]()) {
		if f.Type.Kind() != reflect.Struct {
			continue
		}
		if _, ok := fieldsOf(f.Type)[key]; ok {
			if found != "" {
				return ""
			}
			found = name
		}
	}
	return found
}

// quote shows a text from the file in a message, cut where it would fill the screen.
func quote(s string) string {
	if r := []rune(s); len(r) > maxWord {
		s = string(r[:maxWord-1]) + "…"
	}
	return strconv.Quote(s)
}

// maxWord is longer than every key and every word that a spec may hold.
const maxWord = 80
