package secret

import (
	"errors"
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

const header = `# The secrets of this stack, one name and its value per line. stackgen adds the ones that it can make and
# changes none by itself. Readable by its owner alone, never in git, and part of the backup: with a lost
# secret goes what it protects.
`

var (
	errByHand    = errors.New("its layout cannot be changed safely; write each name on a line of its own as `NAME: \"VALUE\"`")
	errMarks     = errors.New("it begins with more than one byte order mark; remove them")
	errNoNewline = errors.New("its last line does not end with a line break; add one")
)

type entry struct{ name, value string }

// edit sets names to values in the text of a secrets file and leaves every other byte as it is. A name
// that is not in it is appended.
func edit(src []byte, changes []entry) ([]byte, error) {
	// The reader counts columns without the byte order mark.
	text, hadBOM := strings.CutPrefix(string(src), "\ufeff")
	if strings.HasPrefix(text, "\ufeff") {
		return nil, errMarks // what is proven below would be read without the first one
	}
	if strings.TrimSpace(text) == "" {
		text = header + text
	}
	for _, c := range changes {
		var err error
		if text, err = editOne(text, c); err != nil {
			return nil, fmt.Errorf("set %q: %w", c.name, err)
		}
	}
	if hadBOM {
		text = "\ufeff" + text
	}
	return []byte(text), nil
}

func editOne(text string, c entry) (string, error) {
	f, problems := finding.Parse("", []byte(text))
	if len(problems) > 0 {
		return "", errByHand
	}
	root := f.Root()
	dups, merges, complexKeys := root.RawKeys()
	if len(dups)+len(merges)+len(complexKeys) > 0 || root.Kind() == source.Scalar || root.Kind() == source.Sequence {
		return "", errByHand
	}
	t := newLines(text)
	if old := root.At(c.name); old.Exists() {
		if k := old.Kind(); k != source.Scalar && k != source.Null {
			return "", errByHand
		}
		out, ok := t.replace(old, c.value)
		if !ok || !proven(root, out, c) {
			return "", errByHand
		}
		return out, nil
	}
	out := t.add(root, c)
	if !proven(root, out, c) {
		if text != "" && !endsLine(text) {
			return "", errNoNewline
		}
		return "", errByHand
	}
	return out, nil
}

// proven reads the new text back: c must be in it, and everything else as before. What the line arithmetic
// does not foresee (aliases, a flow mapping) ends here instead of in a damaged file.
func proven(before source.Value, text string, c entry) bool {
	f, problems := finding.Parse("", []byte(text))
	after := f.Root()
	dups, merges, complexKeys := after.RawKeys()
	if len(problems)+len(dups)+len(merges)+len(complexKeys) > 0 {
		return false
	}
	now := make(map[string]source.Value)
	for k, v := range after.Entries() {
		now[k.Str()] = v
	}
	if v := now[c.name]; !v.IsString() || v.Str() != c.value {
		return false
	}
	delete(now, c.name)
	for k, v := range before.Entries() {
		if k.Str() == c.name {
			continue
		}
		if w, ok := now[k.Str()]; !ok || !v.Equal(w) {
			return false
		}
		delete(now, k.Str())
	}
	return len(now) == 0
}

// add appends a line, before the end marker of the document if there is one.
func (t *lines) add(root source.Value, c entry) string {
	indent := 0
	for k := range root.Entries() {
		indent = k.Pos().Col - 1
		break
	}
	key := c.name
	if !plainName().MatchString(key) {
		key = source.Quote(key)
	}
	at := len(t.text)
	for n := range t.starts {
		if line := t.line(n); documentEnd().MatchString(line) && t.starts[n] > 0 {
			at = t.starts[n]
			break
		}
	}
	before, after := t.text[:at], t.text[at:]
	if before != "" && !endsLine(before) {
		before += t.eol
	}
	head, body := t.scalar(c.value, indent)
	return before + strings.Repeat(" ", indent) + key + ": " + head + body + t.eol + after
}

var (
	plainName   = regex.Of(`^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$`)
	documentEnd = regex.Of(`^\.\.\.([ \t]|$)`)
	pemLine     = regex.Of(`^[!-~]([ -~]*[!-~])?$`)
)

// scalar gives a value as YAML: what follows the key on its line, and the lines below it. Keys in PEM
// stay readable as such, everything else is in quotes.
func (t *lines) scalar(value string, indent int) (head, body string) {
	text, newline := strings.CutSuffix(value, "\n")
	if !strings.HasPrefix(value, "-----BEGIN ") || !strings.Contains(text, "\n") {
		return source.Quote(value), ""
	}
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		if !pemLine().MatchString(line) {
			return source.Quote(value), ""
		}
		b.WriteString(t.eol + strings.Repeat(" ", indent+2) + line)
	}
	if newline {
		return "|", b.String()
	}
	return "|-", b.String()
}

// replace puts value in the place of old. What stands behind old on its line, a comment, stays.
func (t *lines) replace(old source.Value, value string) (string, bool) {
	indent := old.KeyPos().Col - 1
	s, ok := t.extent(old)
	if !ok {
		return "", false
	}
	head, body := t.scalar(value, indent)
	if s.gap {
		head = " " + head
	}
	if body != "" && s.bodyEnd == len(t.text) {
		body += t.eol
	}
	return t.text[:s.start] + head + t.text[s.headEnd:s.lineEnd] + body + t.text[s.bodyEnd:], true
}
