package deployment

import (
	"path"
	"slices"
	"strings"
)

// shellOf are the commands in a Markdown file: its fenced blocks that are of a shell, or of no language that is told.
func shellOf(text string) string {
	var b strings.Builder
	fence, shell := "", false
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		mark := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`~"))]
		switch {
		case fence == "" && len(mark) >= 3:
			language, _, _ := strings.Cut(strings.TrimSpace(trimmed[len(mark):]), " ")
			fence, shell = mark, language == "" || slices.Contains([]string{"sh", "bash", "zsh", "shell", "console", "shell-session"}, strings.ToLower(language))
		case fence != "" && strings.HasPrefix(mark, fence) && trimmed == mark:
			fence = ""
		case fence != "" && shell:
			b.WriteString(strings.TrimPrefix(trimmed, "$ ") + "\n")
		}
	}
	return b.String()
}

// toldIn reports whether a Markdown file tells people what to do in a directory: its README, or one in docs there.
func toldIn(dir, name string) bool {
	if in := path.Dir(name); in != dir {
		return path.Dir(in) == dir && slices.Contains([]string{"docs", "doc"}, path.Base(in))
	}
	return strings.HasPrefix(strings.ToLower(path.Base(name)), "readme")
}
