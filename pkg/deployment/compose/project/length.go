package project

import (
	"bytes"
	"fmt"
	"slices"

	"philipp.info/stackgen/pkg/source"
)

// longest is how many bytes a variable may have: Linux starts no program with a longer one (MAX_ARG_STRLEN).
const longest = 128 << 10

// tooLong is the first line of an environment file with a variable that grows longer than one can be, as those do that
// each take the one before twice; 0 where there is none. A few more are taken for too long than are.
func tooLong(src []byte, known map[string]string) int {
	size := make(map[string]int)
	of := func(name string) int {
		if n, ok := size[name]; ok {
			return n
		}
		return len(known[name])
	}
	n := 0
	name, total := "", 0 // of the value that the line goes on with
	for line := range bytes.Lines(src) {
		n++
		if bytes.IndexByte(line, '$') < 0 && bytes.IndexByte(line, '=') < 0 {
			total += len(line)
			continue
		}
		if before, _, ok := bytes.Cut(line, []byte("=")); ok {
			name, total = string(bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(before), []byte("export ")))), 0
		}
		total += len(line)
		if bytes.IndexByte(line, '$') >= 0 {
			for _, m := range named().FindAllSubmatch(line, -1) {
				total = min(total+of(string(m[1])), 2*longest)
			}
			if total > longest {
				return n
			}
		}
		size[name] = total
	}
	return 0
}

// refuseLong says once of an environment file that it is not read, for what it grows to.
func (r *reader) refuseLong(name string, line int) {
	at := source.Pos{File: name, Line: line}
	if slices.ContainsFunc(r.project.Faults, func(p Problem) bool { return p.Sites[0].Pos == at }) {
		return
	}
	r.fault(fmt.Sprintf("a variable grows beyond the %d KiB that one can have; no program starts with it", longest>>10), "a variable that does not repeat others", source.Site{Pos: at})
}
