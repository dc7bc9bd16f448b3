package deployment

import (
	"slices"
	"strings"
	"testing"
)

// TestOwnWords: the flags of the commands before the last one of a line are none of the program's.
func TestOwnWords(t *testing.T) {
	for line, want := range map[string]string{
		"-c /data/a.yaml": "-c /data/a.yaml",
		"chown $(stat -c %u /data) /data && run -c x.y": "&& run -c x.y",
		"true || exec run":             "exec run",
		"umask 077; run -c x.y":        "077; run -c x.y",
		`-c "umask 077 && run -c x.y"`: "&& run -c x.y",
	} {
		if got := ownWords(strings.Fields(line)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
