package source

import (
	"strings"
)

// Swap gives the edit that makes a word of a line another one, in a file of any kind: letters, digits, dots, dashes and underscores
// go on a word. It is nil where the word does not stand there exactly once, or where a file that is YAML would be none any more.
func (f *File) Swap(line int, old, now string) []Edit {
	t := f.text()
	if line < 1 || line > len(t.starts) || old == "" {
		return nil
	}
	begin, end := t.starts[line-1], len(t.text)
	if line < len(t.starts) {
		end = t.starts[line]
	}
	at := -1
	for i := begin; ; {
		n := strings.Index(t.text[i:end], old)
		if n < 0 {
			break
		}
		n += i
		i = n + len(old)
		if n > begin && inWord(t.text[n-1]) || i < end && inWord(t.text[i]) {
			continue
		}
		if at >= 0 {
			return nil
		}
		at = n
	}
	if at < 0 {
		return nil
	}
	t.put(at, at+len(old), now)
	if f.Root().Exists() {
		src, err := Apply(f.Src, t.edits)
		if err != nil {
			return nil
		}
		if _, problem := Parse(f.Path, src); problem != nil {
			return nil
		}
	}
	return t.edits
}

func inWord(c byte) bool {
	return c == '.' || c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}
