package secret

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/source"
)

func TestMask(t *testing.T) {
	const fake = `fäke "p$ss"/word+<it's> \x` + "\ttail"
	quoted, err := json.Marshal(fake)
	if err != nil {
		t.Fatal(err)
	}
	s := newSet("", nil)
	for name, v := range map[string]string{"a.one": fake, "a.pin": "abc", "a.left": "overlap-left", "a.right": "left-right-side", "a.itself": "abababab"} {
		if err := s.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct{ text, want string }{
		"nothing":    {"no secret here", "no secret here"},
		"plain":      {"password: " + fake + ".", "password: ********."},
		"yaml":       {"p: " + source.Quote(fake), `p: "********"`},
		"yaml 1":     {"p: '" + strings.ReplaceAll(fake, "'", "''") + "'", "p: '********'"},
		"json":       {`{"p":` + string(quoted) + "}", `{"p":"********"}`},
		"compose":    {strings.ReplaceAll(fake, "$", "$$"), "********"},
		"url":        {"postgres://u:" + strings.TrimPrefix(url.UserPassword("", fake).String(), ":") + "@db", "postgres://u:********@db"},
		"query":      {"?x=" + url.QueryEscape(fake), "?x=********"},
		"base64":     {base64.StdEncoding.EncodeToString([]byte(fake)), "********"},
		"basic auth": {"Basic " + base64.StdEncoding.EncodeToString([]byte("me:overlap-left")), "Basic bWU6********"},
		"in base64":  {base64.RawURLEncoding.EncodeToString([]byte("u:overlap-left!")), "dTp********Qh"},
		"twice":      {"overlap-left overlap-left", "******** ********"},
		"overlap":    {"<overlap-left-right-side>", "<********>"},
		"itself":     {"<abababababab>", "<********>"},
		"too short":  {"abc", "abc"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, s.Mask(test.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMaskKeys(t *testing.T) {
	s := newSet("", testNeeds())
	s.Fill()
	key := s.Get("mas.rsa")
	for _, text := range []string{key, "key: |\n  " + strings.ReplaceAll(key, "\n", "\n  "), source.Quote(key), base64.StdEncoding.EncodeToString([]byte(key))} {
		got := s.Mask(text)
		for line := range strings.Lines(key) {
			line = strings.TrimSpace(line)
			if len(line) >= 4 && !strings.HasPrefix(line, "-----") && strings.Contains(got, line) {
				t.Fatal("a line of the key is left")
			}
		}
		if !strings.Contains(got, source.Masked) {
			t.Error("nothing was masked")
		}
	}
	seed := strings.Fields(s.Get("synapse.signing_key"))[2]
	if got := s.Mask("seed " + seed); got != "seed "+source.Masked {
		t.Error("the seed alone is not masked")
	}
}

// FuzzMask: no secret is left in a text that holds it.
func FuzzMask(f *testing.F) {
	f.Add("before ", "hunter2hunter2", " after")
	f.Add("", "aaaa", "aaa")
	f.Add("x\n", "-----BEGIN FAKE-----\nAAAA\n-----END FAKE-----\n", "")
	f.Fuzz(func(t *testing.T, before, value, after string) {
		s := newSet("", nil)
		if s.Set("a.b", value) != nil || strings.Contains(source.Masked, value) {
			t.Skip()
		}
		trimmed := strings.TrimRight(value, "\r\n")
		got := s.Mask(before + value + after)
		if len(trimmed) >= 8 && !strings.Contains(trimmed, "*") && strings.Contains(got, trimmed) {
			t.Error("the value is left")
		}
	})
}
