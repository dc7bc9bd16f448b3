package source

import (
	"bytes"
	"strings"
)

// Inside gives a text that stands in the value, such as a configuration in a block, as the source of a file in which each
// line has the number and the indent that it has in the value's own file. The text may differ from what stands there by
// what was filled in, as long as it has as many lines; one in another form begins on the value's line.
func (v Value) Inside(text string) []byte {
	o := v.Origin()
	n := deref(o.node)
	if n == nil || o.file == nil {
		return []byte(text)
	}
	first, indent := n.Line, ""
	lines := bytes.Split(o.file.Src, []byte("\n"))
	if isBlock(n) && strings.Count(text, "\n") == strings.Count(n.Value, "\n") {
		own, _, _ := strings.Cut(strings.TrimLeft(n.Value, "\n"), "\n")
		for i := n.Line; i < len(lines); i++ {
			if line := string(lines[i]); strings.TrimSpace(line) != "" {
				first = n.Line + 1
				indent = line[:max(len(line)-len(strings.TrimLeft(line, " "))-(len(own)-len(strings.TrimLeft(own, " "))), 0)]
				break
			}
		}
	}
	var b bytes.Buffer
	for range first - 1 {
		b.WriteByte('\n')
	}
	for line := range strings.Lines(text) {
		// What parts documents does so at the begin of a line alone.
		if word := strings.TrimRight(line, " \t\r\n"); word != "" && word != "---" && word != "..." && !strings.HasPrefix(line, "--- ") {
			b.WriteString(indent)
		}
		b.WriteString(line)
	}
	return b.Bytes()
}
