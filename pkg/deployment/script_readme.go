package deployment

import (
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
