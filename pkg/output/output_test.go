package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var hostile = []string{
	"\n", "\r", "\t", "\x1b[31m", "\x1b[8m", "\x1b[2J", "\x1b[", "\x1b]0;title\x07", "\u009b2J", "\u0085", "\x7f", "\x00", "\xff",
	"::error::owned", "  ::stop-commands::x", "##[error]", "##vso[x]", "\u202e", "\u2066", "\u200b", "\u2028", "\u2029", "\ufeff", "\U000e0041",
	"word", " ", "日本", "é", "\ufffd",
}

func hostileText(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(8) {
		b.WriteString(hostile[r.IntN(len(hostile))])
	}
	return b.String()
}

// What goes to stderr holds nothing that acts, whoever wrote it there and however carelessly.
func TestTalk(t *testing.T) {
	colors := regexp.MustCompile(`\x1b\[(?:[0-2]|[39][0-7])m`)
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var out bytes.Buffer
		w := Talk(&out)
		var parts []string
		for range 1 + r.IntN(3) {
			parts = append(parts, hostileText(r))
			fmt.Fprint(w, parts[len(parts)-1])
		}
		for line := range strings.SplitSeq(colors.ReplaceAllString(out.String(), ""), "\n") {
			if strings.HasPrefix(strings.TrimLeft(line, " "), "::") || strings.Contains(line, "##[") || strings.Contains(line, "##vso[") {
				t.Fatalf("%q became a command: %q", parts, line)
			}
			if i := strings.IndexFunc(line, func(r rune) bool { return r != '\t' && !unicode.IsPrint(r) }); i >= 0 {
				t.Fatalf("%q became %q", parts, line)
			}
		}
	}
}

// A product passes as it is when it holds nothing that acts.
func TestProduct(t *testing.T) {
	var out bytes.Buffer
	text := "::error file=a.yaml::x\n\x1b[1mname\x1b[0m\t日本 é # <b> % \\n\n"
	if _, err := Product(&out).Write([]byte(text)); err != nil || out.String() != text {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		text := strings.ToValidUTF8(hostileText(r), "")
		got, err := JSON(map[string]string{"a": text}, "")
		var back map[string]string
		if err != nil || json.Unmarshal(got, &back) != nil || back["a"] != text {
			t.Fatalf("%q became %s, %v", text, got, err)
		}
		if strings.ContainsFunc(strings.TrimSuffix(string(got), "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q became %q", text, got)
		}
	}
}

// What a runner would take for a command is spelled so that a decoder gets it back, after the last guard too.
func TestJSONLogCommand(t *testing.T) {
	for _, text := range []string{"##[error]x", "a ##vso[task.setvariable]b", "###[x", `\##[`, "##[##["} {
		doc, err := JSON([]string{text}, "")
		var out bytes.Buffer
		if _, err := Product(&out).Write(doc); err != nil {
			t.Fatal(err)
		}
		var back []string
		if err != nil || json.Unmarshal(out.Bytes(), &back) != nil || back[0] != text {
			t.Errorf("%q became %s, %v", text, out.Bytes(), err)
		}
		if strings.Contains(out.String(), "##[") || strings.Contains(out.String(), "##vso[") {
			t.Errorf("%q became the command %s", text, out.Bytes())
		}
	}
}

// No text becomes a link, a mention or a reference by itself. GitHub looks for these after the entities
// are decoded, and a zero-width space within is what keeps it from that.
func TestEscapeLinks(t *testing.T) {
	link := regexp.MustCompile(`(?i)(?:https?|ftp)://|www\.[a-z]|[a-z0-9]@[a-z0-9]|(?:^|[^\w])@[a-z0-9]|#\d|gh-\d|\b[0-9a-f]{7,40}\b`)
	entity := regexp.MustCompile(`&#(\d+);`)
	for _, text := range []string{
		"see https://evil.example/x", "HTTP://evil.example", "ftp://evil.example", "www.evil.example", "_www.evil.example", "WWW.evil.example",
		"owner/repo#1", "#1", "GH-1", "gh-12", "@octocat", "(@org/team", "mail@evil.example", "mailto:mail@evil.example", "owner/repo@0123abc",
		"0123abc", "0123456789abcdef0123456789abcdef01234567", "deadbeef", "in 04d3849.", "owner@04d3849",
	} {
		for name, escape := range map[string]func(string) string{"Escape": Escape, "HTML": HTML} {
			got := escape(text)
			seen := entity.ReplaceAllStringFunc(got, func(e string) string {
				var n rune
				if _, err := fmt.Sscanf(e, "&#%d;", &n); err != nil {
					t.Errorf("%s: %v", e, err)
				}
				return string(n)
			})
			if m := link.FindString(seen); m != "" {
				t.Errorf("%s: %q shows as %q, with a link at %q", name, text, seen, m)
			}
			if strings.ReplaceAll(seen, "\u200b", "") != text {
				t.Errorf("%s: %q shows as %q", name, text, seen)
			}
		}
	}
	if got := Escape("sha256:" + strings.Repeat("0a", 32)); strings.Contains(got, "&") {
		t.Errorf("a digest, which is no reference, became %s", got)
	}
}

func TestPage(t *testing.T) {
	var p Page
	for range 500 {
		p.Add("row", "%s\n", strings.Repeat("x", 200))
	}
	p.Close("stackgen check")
	if p.Len() > MaxMarkdown || !strings.HasSuffix(p.String(), "\n**Left out**, to stay below 60000 characters: 204 rows. `stackgen check` without `--format markdown` shows all.\n") {
		t.Errorf("%d bytes: …%s", p.Len(), p.Bytes()[p.Len()-200:])
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  []string
	}{
		{"aa bb cc", 5, []string{"aa bb", "cc"}},
		{"aa bb cc", 0, []string{"aa bb cc"}},
		{"toolongaword b", 5, []string{"toolongaword", "b"}},
		{"a" + NoBreak + "1 b", 3, []string{"a 1", "b"}},
		{"\x1b[1maa\x1b[0m bb cc", 5, []string{"\x1b[1maa\x1b[0m bb", "cc"}},
		{"日本 日本", 8, []string{"日本", "日本"}},
		{"", 5, []string{""}},
	} {
		if got := Wrap(tt.text, tt.width); !slices.Equal(got, tt.want) {
			t.Errorf("%q at %d: %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestHang(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  []string
	}{
		{"changed  alpha, beta, gamma, delta, epsilon, zeta", 40, []string{"changed  alpha, beta, gamma, delta,", "         epsilon, zeta"}},
		{"changed  alpha, beta", 0, []string{"changed  alpha, beta"}},
		{"  created  mas  image registry.example.org/long/name:1", 40, []string{"  created mas image", "    registry.example.org/long/name:1"}},
		{"run `stackgen secrets set a.b` and then go on", 28, []string{"run", "  `stackgen secrets set a.b`", "  and then go on"}},
	} {
		if got := Hang(tt.line, tt.width); !slices.Equal(got, tt.want) {
			t.Errorf("%q at %d: %q, want %q", tt.line, tt.width, got, tt.want)
		}
	}
	// No word is broken or lost, and no line is longer than the width unless a single word is.
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		var words []string
		for range 1 + r.IntN(20) {
			words = append(words, strings.Repeat("w", 1+r.IntN(30)), strings.Repeat(" ", r.IntN(3)))
		}
		line, width := strings.TrimSpace(strings.Join(words, " ")), 30+r.IntN(60)
		got := Hang(line, width)
		if !slices.Equal(strings.Fields(line), strings.Fields(strings.Join(got, "\n"))) {
			t.Fatalf("%q at %d became %q", line, width, got)
		}
		for _, part := range got {
			if Width(part) > width && len(strings.Fields(part)) > 1 {
				t.Fatalf("%q at %d has the line %q", line, width, part)
			}
		}
	}
}

func TestWidth(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	columns := func(string) (string, bool) { return "72", true }
	if got := Product(&bytes.Buffer{}).Width(columns); got != 0 {
		t.Errorf("what is no terminal is wrapped at %d", got)
	}
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer pty.Close()
	if a, b := Product(pty).Width(none), Product(pty).Width(columns); a != 100 || b != 72 {
		t.Errorf("a terminal without a size is %d wide, with COLUMNS=72 %d", a, b)
	}
}
