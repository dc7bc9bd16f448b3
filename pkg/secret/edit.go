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
	if len(dups)+len(merges)+len(complexKeys) > 0 || root.Kind() == source.Scalar || root.Kind() == source.Sequence || root.Braced() {
		return "", errByHand
	}
	old := root.At(c.name)
	if old.IsString() && old.Str() == c.value {
		return text, nil
	}
	edits := old.Become(asYAML(c.value))
	switch {
	case len(edits) > 0:
	case text != "" && !strings.HasSuffix(text, "\n") && !strings.HasSuffix(text, "\r") && !old.Exists():
		return "", errNoNewline
	default:
		return "", errByHand
	}
	out, err := source.Apply([]byte(text), edits)
	return string(out), err
}

var pemLine = regex.Of(`^[!-~]([ -~]*[!-~])?$`)

// asYAML gives a value as YAML. Keys in PEM stay readable as such, everything else is in quotes.
func asYAML(value string) string {
	text, newline := strings.CutSuffix(value, "\n")
	if !strings.HasPrefix(value, "-----BEGIN ") || !strings.Contains(text, "\n") {
		return source.Quote(value)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if !pemLine().MatchString(line) {
			return source.Quote(value)
		}
	}
	if newline {
		return "|\n" + text
	}
	return "|-\n" + text
}
