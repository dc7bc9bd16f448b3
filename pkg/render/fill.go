package render

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// filled is a file of a container with its words filled in; any other file, and one that is no text, is as it was.
func (b *Bundle) filled(f Copy) ([]byte, source.Misfits) {
	keys, named := f.At.Keys(), b.spec.Containers()
	i := slices.IndexFunc(named, func(n spec.Named) bool { return len(keys) > 2 && slices.Equal(n.Section, keys[:2]) })
	if i < 0 || !utf8.Valid(f.Data) || bytes.ContainsRune(f.Data, 0) {
		return f.Data, nil
	}
	n, c, text := named[i], b.Stack.Containers[i], string(f.Data)
	var misfits source.Misfits
	misfit := func(at int, what, fix string) {
		misfits = append(misfits, source.Misfit{At: f.At, Message: fmt.Sprintf("%s:%d: %s", f.At.Str(), 1+strings.Count(text[:at], "\n"), what), Fix: fix})
	}
	structured := slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(f.Path))
	var out strings.Builder
	done := 0
	for _, w := range spec.WordsIn(text) {
		value, ok := c.Words[w.Name]
		switch {
		case ok:
		case w.Name == "registration" && c.Registered:
			misfit(w.Begin, "{registration} is the path of a file that the service "+n.Name+" is not handed", `files: {/registration.yaml: "{registration}"}`)
		default:
			misfit(w.Begin, n.NoWord(w.Name), n.WordFix())
		}
		if structured {
			value = quotedAs(text[:w.Begin], value)
		}
		out.WriteString(text[done:w.Begin])
		out.WriteString(value)
		done = w.End
	}
	out.WriteString(text[done:])
	if structured && len(misfits) == 0 && out.String() != text {
		if at := Misread(text, out.String(), c.word); at != "" {
			misfit(0, at+" does not get what its word stands for", "quotes around the whole text: "+`"{as_token}"`)
		}
	}
	return []byte(out.String()), misfits
}

// quotedAs is a value as it stands inside the quotes that are open at the end of a text; raw where none are.
func quotedAs(before, value string) string {
	quote := byte(0)
	line := before[strings.LastIndexByte(before, '\n')+1:]
	for i := 0; i < len(line); i++ {
		switch ch := line[i]; {
		case quote == 0 && (ch == '"' || ch == '\'') && (i == 0 || strings.IndexByte(" \t[{,:-", line[i-1]) >= 0):
			quote = ch
		case quote == '"' && ch == '\\':
			i++
		case ch == quote:
			quote = 0
		}
	}
	switch quote {
	case '"':
		quoted := jsonText(value)
		return quoted[1 : len(quoted)-1]
	case '\'':
		return strings.ReplaceAll(value, "'", "''")
	}
	return value
}

// Misread is the path of a value that is not, in the filled file, what the words of the first one stand for; "" where all are,
// and where the first one cannot be read.
func Misread(was, is string, word func(string) string) string {
	a, problem := source.Parse("", []byte(was))
	if problem != nil {
		return ""
	}
	b, problem := source.Parse("", []byte(is))
	if problem != nil {
		return "a value"
	}
	return misreadIn(a.Root(), b.Root(), word)
}

func misreadIn(a, b source.Value, word func(string) string) string {
	if a.Kind() != b.Kind() {
		return cmp.Or(a.Path(), "the file")
	}
	switch a.Kind() {
	case source.Scalar:
		if spec.Fill(a.Str(), word) != b.Str() {
			return a.Path()
		}
	case source.Sequence:
		for i, item := range a.Items() {
			if at := misreadIn(item, b.Items()[i], word); at != "" {
				return at
			}
		}
	case source.Mapping:
		for key, v := range a.Entries() {
			if at := misreadIn(v, b.At(spec.Fill(key.Str(), word)), word); at != "" {
				return at
			}
		}
	}
	return ""
}
